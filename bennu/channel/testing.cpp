#include "bennu/channel/testing.hpp"

#include "bennu/channel/handshake.hpp"
#include "bennu/channel/test_socket.hpp"

namespace bennu {

using phoenix::TestSocket;

namespace {

constexpr CallOptions patiently{.timeout = TestSocket::patience};

std::string frame_text(std::string_view join_ref, std::string_view ref, std::string_view topic,
                       std::string_view event, const Json& payload) {
    return to_json(
        Json::array({join_ref.empty() ? Json() : Json(join_ref), ref, topic, event, payload}));
}

}  // namespace

Task<Result<ChannelTest>> ChannelTest::connect(std::shared_ptr<const SocketOptions> options,
                                               ConnectRequest request) {
    declare_topics(*options);
    Shared<SocketInfo> info;
    const std::string vsn = request.params.get<std::string>("vsn").value_or("2.0.0");
    const phoenix::Version version = phoenix::version_of(vsn).value();
    if (options->connect) {
        Connected connected = co_await require(options->connect(std::move(request)));
        info = make_shared_value<SocketInfo>(std::move(connected.assigns), std::move(connected.id));
    }
    auto socket = co_await require(start<TestSocket>(SpawnOptions{}, std::move(options),
                                                     std::move(info), phoenix::Version(version)));
    co_return ChannelTest(socket);
}

std::string ChannelTest::join_ref(std::string_view topic) const {
    for (const auto& [joined, ref] : joined_) {
        if (joined == topic) return ref;
    }
    return {};
}

Task<ChannelTest::Answer> ChannelTest::answer(std::string ref) {
    Result<Frame> frame = co_await try_call(
        socket_, TestSocket::Take{.event = "phx_reply", .topic = {}, .ref = std::move(ref)},
        patiently);
    if (!frame) co_return Answer{.status = "timeout"};

    co_return Answer{std::string(frame->payload["status"].as_string()), frame->payload["response"],
                     std::move(frame->data)};
}

Task<ChannelTest::Answer> ChannelTest::join(std::string topic, Json params) {
    std::string ref = next_ref();
    send_text(frame_text(ref, ref, topic, "phx_join", params));
    std::erase_if(joined_, [&](auto& joined) { return joined.first == topic; });
    joined_.emplace_back(std::move(topic), ref);
    co_return co_await answer(ref);
}

Task<ChannelTest::Answer> ChannelTest::push(std::string topic, std::string event, Json payload) {
    std::string ref = next_ref();
    send_text(frame_text(join_ref(topic), ref, topic, event, payload));
    co_return co_await answer(ref);
}

Task<ChannelTest::Answer> ChannelTest::push_binary(std::string topic, std::string event,
                                                   std::string data) {
    std::string ref = next_ref();
    std::string joined = join_ref(topic);
    std::string frame(1, '\0');
    for (std::string_view part : {std::string_view(joined), std::string_view(ref),
                                  std::string_view(topic), std::string_view(event)}) {
        frame += static_cast<char>(part.size());
    }
    send_binary(frame + joined + ref + topic + event + data);
    co_return co_await answer(ref);
}

Task<ChannelTest::Answer> ChannelTest::leave(std::string topic) {
    std::string ref = next_ref();
    send_text(frame_text(join_ref(topic), ref, topic, "phx_leave", Json::object()));
    co_return co_await answer(ref);
}

void ChannelTest::send_text(std::string frame) {
    cast(socket_, TestSocket::FromClient{std::move(frame)});
}
void ChannelTest::send_binary(std::string frame) {
    cast(socket_, TestSocket::FromClient{.frame = std::move(frame), .binary = true});
}
void ChannelTest::disconnect() {
    kill(socket_.pid(), "the client went away");
}

Task<Result<ChannelTest::Frame>> ChannelTest::next(std::string event, std::string topic) {
    co_return co_await try_call(
        socket_, TestSocket::Take{.event = std::move(event), .topic = std::move(topic), .ref = {}},
        patiently);
}
Task<Result<ChannelTest::Frame>> ChannelTest::next() {
    co_return co_await try_call(socket_, TestSocket::Take{}, patiently);
}

Task<std::uint16_t> ChannelTest::closed() {
    co_return co_await call(socket_, TestSocket::Closed{});
}

}  // namespace bennu
