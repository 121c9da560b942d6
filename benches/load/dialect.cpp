#include "benches/load/dialect.hpp"

#include <stdexcept>

namespace bench {
namespace {

/// A JSON object of exactly that many bytes (12 at least).
std::string body(std::size_t bytes) {
    constexpr std::size_t around = std::string_view(R"({"body":""})").size();
    return R"({"body":")" + std::string(bytes > around ? bytes - around : 1, 'x') + R"("})";
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

/// Phoenix channels, version 2.
class Phoenix : public Dialect {
  public:
    explicit Phoenix(const DialectOptions& options)
        : topic_(options.topic), body_(body(options.payload)) {}

    std::string target() const override { return "/socket/websocket?vsn=2.0.0"; }
    std::string greeting() const override { return push("1", "phx_join", "{}"); }
    std::string publish() const override { return push("2", "shout", body_); }
    std::string echo() const override { return push("3", "echo", body_); }

    Meaning meaning(std::string_view message) const override {
        if (contains(message.substr(0, 64 + topic_.size()), R"("shout")")) return Meaning::delivery;
        if (!contains(message, R"("phx_reply")")) return Meaning::other;
        if (!contains(message, R"("status":"ok")"))
            throw std::runtime_error("refused: " + std::string(message));
        if (message.starts_with(R"(["1","1",)")) return Meaning::joined;
        return message.starts_with(R"(["1","3",)") ? Meaning::echo : Meaning::other;
    }

  private:
    std::string push(std::string_view ref, std::string_view event, std::string_view payload) const {
        std::string text = R"(["1",")";
        text.append(ref).append(R"(",")").append(topic_).append(R"(",")").append(event);
        return text.append(R"(",)").append(payload).append("]");
    }

    std::string topic_;
    std::string body_;
};

/// A server without a protocol: what it gets at /broadcast goes to everybody, what it gets at /echo
/// comes back. It moves the bytes that a channel would.
class Raw : public Dialect {
  public:
    explicit Raw(const DialectOptions& options) : echoes_(options.mode == Mode::echo) {
        const std::string payload = body(options.payload);
        text_ = echoes_ ? R"(["1","3",")" + options.topic +
                              R"(","phx_reply",{"status":"ok","response":)" + payload + "}]"
                        : R"([null,null,")" + options.topic + R"(","shout",)" + payload + "]";
    }

    std::string target() const override { return echoes_ ? "/echo" : "/broadcast"; }
    std::string publish() const override { return text_; }
    std::string echo() const override { return text_; }
    Meaning meaning(std::string_view message) const override {
        if (message != text_) return Meaning::other;
        return echoes_ ? Meaning::echo : Meaning::delivery;
    }

  private:
    std::string text_;
    bool echoes_;
};

/// Socket.IO 5 over Engine.IO 4, WebSocket only: packets are `4` (message) and `2` (event) or `3`
/// (acknowledgement).
class SocketIo : public Dialect {
  public:
    explicit SocketIo(const DialectOptions& options)
        : topic_(options.topic), body_(body(options.payload)) {}

    std::string target() const override { return "/socket.io/?EIO=4&transport=websocket"; }
    std::string greeting() const override { return "40"; }
    std::string publish() const override { return R"(42["shout",)" + body_ + "]"; }
    std::string echo() const override { return R"(423["echo",)" + body_ + "]"; }

    Meaning meaning(std::string_view message) const override {
        if (message.starts_with(R"(42["shout")")) return Meaning::delivery;
        if (message.starts_with("433[")) return Meaning::echo;
        if (message.starts_with("431[")) return Meaning::joined;
        if (message.starts_with("40{") || message == "2") return Meaning::reply;
        if (message.starts_with("44")) throw std::runtime_error("refused: " + std::string(message));
        return Meaning::other;
    }
    std::string reply(std::string_view message) const override {
        return message == "2" ? "3" : R"(421["join",")" + topic_ + R"("])";
    }

  private:
    std::string topic_;
    std::string body_;
};

}  // namespace

std::unique_ptr<Dialect> make_dialect(const DialectOptions& options) {
    if (options.name == "phoenix") return std::make_unique<Phoenix>(options);
    if (options.name == "raw") return std::make_unique<Raw>(options);
    if (options.name == "socketio") return std::make_unique<SocketIo>(options);
    throw std::invalid_argument("no such dialect: " + options.name);
}

}  // namespace bench
