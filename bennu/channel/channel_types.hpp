#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bennu/base/bytes.hpp"
#include "bennu/base/record_json.hpp"
#include "bennu/channel/channel.hpp"
#include "bennu/channel/json_shape.hpp"

namespace bennu {

/// A payload without anything in it.
struct NoPayload {};

namespace detail {

/// How a payload's C++ type is described: a record, whatever a record's member may be, Json
/// (`unknown`), Bytes (`ArrayBuffer`) or NoPayload.
struct PayloadType {
    const FieldOps* ops = nullptr;  ///< unset: see `binary`
    bool binary = false;
};
template <typename T>
PayloadType payload_type() {
    if constexpr (std::is_same_v<T, NoPayload>) {
        return {};
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return {.binary = true};
    } else {
        return {.ops = &ops_of<T>};
    }
}

/// What a handler's answer says of its reply's type: `void` for none, Reply when nothing is known.
template <typename T>
struct ReplyTypeOf {
    using type = T;
};
template <>
struct ReplyTypeOf<Result<>> {
    using type = NoPayload;
};
template <typename T>
struct ReplyTypeOf<Result<T>> {
    using type = T;
};
template <typename T>
struct ReplyTypeOf<Task<T>> : ReplyTypeOf<T> {};

/// The parts of a handler's type: `Answer (Channel::*)(Payload, Event)`, both arguments optional.
template <typename Member>
struct HandlerParts;
template <typename A, typename C>
struct HandlerParts<A (C::*)()> {
    using Answer = A;
    using Owner = C;
    using Payload = NoPayload;
    static constexpr int arguments = 0;
};
template <typename A, typename C, typename P>
struct HandlerParts<A (C::*)(P)> : HandlerParts<A (C::*)()> {
    using Payload = std::remove_cvref_t<P>;
    static constexpr int arguments = 1;
};
template <typename A, typename C, typename P>
struct HandlerParts<A (C::*)(P, Event)> : HandlerParts<A (C::*)(P)> {
    static constexpr int arguments = 2;
};

template <typename T>
Payload reply_payload(const T& value) {
    if constexpr (std::is_same_v<T, NoPayload>) {
        return {};
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return value;
    } else {
        std::string text;
        write_json(text, &value, ops_of<T>);
        return Payload::from_text(std::move(text));
    }
}

inline Reply as_reply(Reply reply) {
    return reply;
}
template <typename T>
Reply as_reply(const Result<T>& result) {
    if (!result) return result.error();
    if constexpr (std::is_void_v<T>) {
        return Reply::ok();
    } else {
        return Reply::ok(reply_payload(*result));
    }
}
template <typename T>
Reply as_reply(const T& value) {
    return Reply::ok(reply_payload(value));
}

/// Calls a handler with what it takes of these, which outlive what it returns.
template <auto member, typename P>
[[clang::coro_wrapper]] decltype(auto) call_handler(Channel& channel, P& payload, Event& event) {
    using Parts = HandlerParts<decltype(member)>;
    // A fault if it is another channel's.
    auto& self = dynamic_cast<typename Parts::Owner&>(channel);
    if constexpr (Parts::arguments == 0) {
        return (self.*member)();
    } else if constexpr (Parts::arguments == 1) {
        return (self.*member)(std::move(payload));
    } else {
        return (self.*member)(std::move(payload), std::move(event));
    }
}

template <auto member, typename P>
Task<Reply> run_handler(Channel& channel, P payload, Event event) {
    using Answer = typename HandlerParts<decltype(member)>::Answer;
    if constexpr (std::is_same_v<Answer, Task<>>) {
        co_await call_handler<member>(channel, payload, event);
        co_return Reply::none();
    } else if constexpr (is_task<Answer>) {
        co_return as_reply(co_await call_handler<member>(channel, payload, event));
    } else if constexpr (std::is_void_v<Answer>) {
        call_handler<member>(channel, payload, event);
        co_return Reply::none();
    } else {
        co_return as_reply(call_handler<member>(channel, payload, event));
    }
}

template <auto member>
Task<Reply> take_json(Channel& channel, Event event, Json payload) {
    using Taken = typename HandlerParts<decltype(member)>::Payload;
    if constexpr (std::is_same_v<Taken, NoPayload>) {
        co_return co_await run_handler<member>(channel, NoPayload(), std::move(event));
    } else if constexpr (std::is_same_v<Taken, Json>) {
        co_return co_await run_handler<member>(channel, std::move(payload), std::move(event));
    } else {
        Result<Taken> read = payload_as<Taken>(payload);
        if (!read) co_return read.error();
        co_return co_await run_handler<member>(channel, *std::move(read), std::move(event));
    }
}

template <Record T>
Result<> check_is(const Json& json) {
    T record{};
    return read_json(record, json);
}

/// What a channel type's `types()` says; none without one.
template <typename C>
const ChannelContract* contract_of() {
    if constexpr (requires { C::types(); }) {
        static const ChannelContract contract = C::types().contract();
        return &contract;
    } else {
        return nullptr;
    }
}

}  // namespace detail

/// What one channel says and hears: its typed handlers, and for `typescript` all other types. A
/// channel that has a static `types()` takes its events with the handlers that are named there, and
/// with nothing else: what its clients are compiled against follows from the code that runs.
///
///     struct RoomChannel : Channel {
///         static ChannelTypes types() {
///             return ChannelTypes("RoomChannel")
///                 .joins<RoomParams, RoomState>()     // join(): its params, what it replies
///                 .on<&RoomChannel::say>("say")
///                 .on<&RoomChannel::busy>("busy")
///                 .sends<Said>("said")                // push or broadcast
///                 .tracks<Viewer, Known>();           // presence metas, what a fetch brings
///         }
///         Result<Said> say(Say say);
///         Task<> busy();
///
/// A handler takes a record, Json, Bytes (an event with a binary payload) or nothing, and after it,
/// if it likes, the Event (for `later`). A payload that is no such record is answered with an error
/// that names each field. It returns, at once or as a Task: a Result (or what is in it) as the
/// reply; void for no reply; or a Reply, whose type `on` is then told: `.on<&C::handler, Said>`
/// (`void`: it never answers). It runs as `Channel::handle_in` does.
///
/// What it says holds for the code, too. Params that are no such record as `joins` names are
/// answered with an error that names each field, and `join` does not run; `resume`, which is the
/// protocol's, is not among them. Once something is named with `sends`, `push`, `broadcast` or
/// `broadcast_from` of any other event is a fault of the channel (a broadcast that `intercept`
/// names is its own affair), and so is a `track` of what is no such record as `tracks` names. Only
/// what types are inside is not compared: the payloads of `sends`, what `join` replies, what a
/// fetch brings; nor is what other code publishes on the topic.
class ChannelTypes {
  public:
    /// `name` becomes the TypeScript interface's.
    explicit ChannelTypes(std::string name) : name_(std::move(name)) {}

    template <typename Params, typename Joined = NoPayload>
    ChannelTypes& joins() {
        params_ = detail::payload_type<Params>();
        if constexpr (Record<Params>) {
            contract_.check_params = &detail::check_is<Params>;
            contract_.takes_resume = record_of<Params>().find("resume") != nullptr;
        }
        joined_ = detail::payload_type<Joined>();
        return *this;
    }
    /// Throws std::invalid_argument for an event that has a handler already, or that is the
    /// protocol's (`phx_…`).
    template <auto handler, typename Replied = detail::ReplyTypeOf<
                                typename detail::HandlerParts<decltype(handler)>::Answer>::type>
    ChannelTypes& on(std::string event) {
        using Taken = typename detail::HandlerParts<decltype(handler)>::Payload;
        static_assert(Record<Taken> || std::is_same_v<Taken, Json> ||
                          std::is_same_v<Taken, Bytes> || std::is_same_v<Taken, NoPayload>,
                      "a handler takes a record, Json, Bytes or nothing");
        static_assert(!std::is_same_v<Replied, Reply>,
                      "a handler that returns a Reply says what is in it: on<&C::handler, Said>");
        detail::EventHandler taken{.event = event};
        if constexpr (std::is_same_v<Taken, Bytes>) {
            taken.binary = [] [[clang::coro_wrapper]] (Channel & channel, Event of,
                                                       Bytes data) -> Task<Reply> {
                return detail::run_handler<handler>(channel, std::move(data), std::move(of));
            };
        } else {
            taken.json = &detail::take_json<handler>;
        }
        Message message{std::move(event), detail::payload_type<Taken>(), std::nullopt};
        if constexpr (!std::is_void_v<Replied>) message.reply = detail::payload_type<Replied>();
        add(std::move(taken), std::move(message));
        return *this;
    }
    /// Throws std::invalid_argument for an event that was named before.
    template <typename Payload>
    ChannelTypes& sends(std::string event) {
        add_event({std::move(event), detail::payload_type<Payload>(), std::nullopt});
        return *this;
    }
    /// The metas, and what the channel's fetch (`presence::Fetch`) puts beside them.
    template <Record Meta, typename Known = NoPayload>
    ChannelTypes& tracks() {
        meta_ = detail::payload_type<Meta>();
        contract_.check_meta = &detail::check_is<Meta>;
        known_ = detail::payload_type<Known>();
        return *this;
    }

    /// What is in a Json member of a record that the channel says or hears; `unknown` otherwise.
    /// Throws std::invalid_argument for a member that is no field of its record.
    ///
    ///     .json<&Changes::changed>(JsonShape::part_of<Row>({"key"}).list())
    template <auto member>
    ChannelTypes& json(JsonShape shape) {
        static_assert(std::is_same_v<typename detail::MemberParts<decltype(member)>::Type, Json>,
                      "a member of another type says what it is");
        add_shape(detail::member_of<member>(), std::move(shape));
        return *this;
    }

    struct Shaped {
        detail::MemberOf member;
        JsonShape shape;
    };
    struct Message {
        std::string event;
        detail::PayloadType payload;
        std::optional<detail::PayloadType> reply;
    };
    const std::string& name() const { return name_; }
    detail::PayloadType params() const { return params_; }
    detail::PayloadType joined() const { return joined_; }
    detail::PayloadType meta() const { return meta_; }
    detail::PayloadType known() const { return known_; }
    const std::vector<Message>& pushes() const { return pushes_; }
    const std::vector<Message>& events() const { return events_; }
    const std::vector<Shaped>& shapes() const { return shapes_; }
    const detail::ChannelContract& contract() const { return contract_; }

  private:
    void add(detail::EventHandler handler, Message message);
    void add_event(Message message);
    void add_shape(detail::MemberOf member, JsonShape shape);

    std::string name_;
    detail::PayloadType params_;
    detail::PayloadType joined_;
    detail::PayloadType meta_;
    detail::PayloadType known_;
    std::vector<Message> pushes_;
    std::vector<Message> events_;
    std::vector<Shaped> shapes_;
    detail::ChannelContract contract_;
};

}  // namespace bennu
