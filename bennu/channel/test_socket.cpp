#include "bennu/channel/test_socket.hpp"

#include <stdexcept>

namespace bennu::phoenix {

namespace {

TestSocket* socket_of(Pid pid) {
    return local_body(Ref<TestSocket>(pid));
}

template <Version V>
std::string text_of(const Broadcast& broadcast) {
    return broadcast_message(V, broadcast);
}

template <Version V>
void deliver(Pid socket, const Broadcast& broadcast) {
    constexpr bool v1 = V == Version::v1;
    TestSocket* to = socket_of(socket);
    if (!to || (v1 && broadcast.is_binary())) return;
    const std::string& message = broadcast.encoded(
        v1 ? Broadcast::Wire::phoenix_v1_text : Broadcast::Wire::phoenix_v2_text, &text_of<V>);
    to->receive(broadcast.is_binary() ? read_server_binary(message) : read_server_text(message));
}

template <Version V>
constexpr SocketTransport test_transport{
    .name = "test",
    .version = V,
    .binary = V == Version::v2,
    .send_text =
        [](Pid socket, std::string_view frame) {
            if (TestSocket* to = socket_of(socket)) to->receive(read_server_text(frame));
        },
    .send_binary =
        [](Pid socket, std::string_view frame) {
            if (TestSocket* to = socket_of(socket)) to->receive(read_server_binary(frame));
        },
    .close =
        [](Pid socket, std::uint16_t code, std::string_view) {
            if (TestSocket* to = socket_of(socket)) to->close(code);
        },
    .deliver = &deliver<V>,
    .write = &deliver<V>,
    .deliver_to_id =
        [](Pid socket, const Broadcast& broadcast) {
            if (broadcast.event() != "disconnect") return;
            if (TestSocket* to = socket_of(socket)) to->close(1001);
        },
    // Its frames stay in memory: it is never slow.
    .slow = [](Pid) { return false; },
    .behind = [](Pid) { return false; },
    .hold = [](Pid, const Broadcast&, std::string) {},
    .caught_up = [](Pid) {},
    .room = [](Pid) { return SocketRoom{}; },
    .when_taken = [](Pid, Function<void()> then) { then(); },
    .joined = [](Pid socket,
                 Pid channel) { cast(Ref<TestSocket>(socket), TestSocket::Joined{channel}); },
};

}  // namespace

TestSocket::TestSocket(std::shared_ptr<const SocketOptions> options, Shared<SocketInfo> info,
                       Version version)
    : session_(std::move(options), std::move(info),
               version == Version::v1 ? test_transport<Version::v1> : test_transport<Version::v2>) {
}

Task<Result<>> TestSocket::init() {
    session_.open();
    co_return {};
}

void TestSocket::handle(FromClient message) {
    if (close_code_ != 0) return;
    if (message.binary) {
        session_.on_binary(message.frame);
    } else {
        session_.on_text(message.frame);
    }
}

bool TestSocket::Take::matches(const ChannelTest::Frame& frame) const {
    return (event.empty() || frame.event == event) && (topic.empty() || frame.topic == topic) &&
           (ref.empty() || frame.ref == Json(ref));
}

void TestSocket::handle(Take take, From<ChannelTest::Frame> from) {
    auto found =
        std::ranges::find_if(frames_, [&](const auto& frame) { return take.matches(frame); });
    if (found == frames_.end()) {
        waiting_.push_back({std::move(take), std::move(from), now() + patience});
        return;
    }
    from.reply(std::move(*found));
    frames_.erase(found);
}

void TestSocket::receive(ChannelTest::Frame frame) {
    if (close_code_ != 0) return;
    std::erase_if(waiting_, [](const Waiting& waiting) { return now() >= waiting.until; });
    for (auto waiting = waiting_.begin(); waiting != waiting_.end(); ++waiting) {
        if (!waiting->take.matches(frame)) continue;
        waiting->from.reply(std::move(frame));
        waiting_.erase(waiting);
        return;
    }
    frames_.push_back(std::move(frame));
}

void TestSocket::close(std::uint16_t code) {
    if (close_code_ != 0) return;
    close_code_ = code;
    session_.close();
}

ChannelTest::Frame read_server_text(std::string_view text) {
    Json frame = *parse_json(text);
    if (frame.is_object()) {
        return {.join_ref = {},
                .ref = frame["ref"],
                .topic = std::string(frame["topic"].as_string()),
                .event = std::string(frame["event"].as_string()),
                .payload = frame["payload"],
                .data = {},
                .text = std::string(text)};
    }
    return {.join_ref = frame[0],
            .ref = frame[1],
            .topic = std::string(frame[2].as_string()),
            .event = std::string(frame[3].as_string()),
            .payload = frame[4],
            .data = {},
            .text = std::string(text)};
}

ChannelTest::Frame read_server_binary(std::string_view frame) {
    const int kind = frame.at(0);
    const std::size_t count = kind == 0   ? 3
                              : kind == 1 ? 4
                              : kind == 2 ? 2
                                          : throw std::logic_error("frame kind");
    std::vector<std::string_view> parts;
    std::string_view rest = frame.substr(1 + count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto size = static_cast<unsigned char>(frame.at(1 + i));
        parts.push_back(rest.substr(0, size));
        rest.remove_prefix(size);
    }
    ChannelTest::Frame read{.data = std::string(rest), .text = std::string(frame)};
    auto ref = [](std::string_view text) { return text.empty() ? Json() : Json(text); };
    if (kind == 2) {
        read.topic = parts[0];
        read.event = parts[1];
    } else if (kind == 1) {
        read.join_ref = ref(parts[0]);
        read.ref = ref(parts[1]);
        read.topic = parts[2];
        read.event = "phx_reply";
        read.payload = Json::object({{"status", parts[3]}});
    } else {
        read.join_ref = ref(parts[0]);
        read.topic = parts[1];
        read.event = parts[2];
    }
    return read;
}

}  // namespace bennu::phoenix
