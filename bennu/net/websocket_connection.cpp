#include "bennu/net/websocket_connection.hpp"

#include "bennu/base/log.hpp"
#include "bennu/net/websocket_handshake.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

void WebSocketHandler::on_down(WebSocketConnection&, Down) {}
void WebSocketHandler::on_close(WebSocketConnection&, std::uint16_t, std::string_view) {}

std::string text_frame(std::string_view payload) {
    return prepare_broadcast_frame(payload, Opcode::text);
}
std::string binary_frame(std::string_view payload) {
    return prepare_broadcast_frame(payload, Opcode::binary);
}

namespace {

/// The sockets of a shard that have something to send when its turn ends: whatever was written to
/// one of them within the turn leaves in one system call.
struct Outgoing {
    std::vector<Ref<WebSocketConnection>> sockets;
};

}  // namespace

struct WebSocketConnection::State {
    /// `draining`: both sides have said that they close, and what was sent before is on its way.
    enum class Phase : std::uint8_t { connecting, handshaking, open, closing, draining, closed };

    explicit State(Start start)
        : stream(std::move(start.stream)),
          handler(std::move(start.handler)),
          idle_timeout(start.options.idle_timeout),
          max_outbox(start.options.max_outbox),
          entry(std::move(start.table),
                [](Pid pid) { cast(Ref<WebSocketConnection>(pid), Overdue{}); }),
          in(std::move(start.input)),
          decoder(start.role, {.message = start.options.max_message}),
          peer(std::move(start.peer)),
          client(start.role == WebSocketDecoder::Role::client),
          phase(start.handshake_key.empty() ? Phase::open : Phase::connecting) {
        entry.set_address(start.address);
        if (start.options.agreed) {
            deflate = std::make_unique<MessageDeflate>(*start.options.agreed, start.options.deflate,
                                                       start.options.max_message);
            decoder.allow_compressed();
        }
        if (client) {
            connecting = std::make_unique<Connecting>(Connecting{
                std::move(start.handshake_key), std::move(start.protocols), start.connect_timeout});
        }
    }

    struct Connecting {
        std::string key;
        std::vector<std::string> protocols;
        Duration timeout;
    };

    TcpStream stream;
    std::unique_ptr<WebSocketHandler> handler;
    Duration idle_timeout;
    std::size_t max_outbox;
    std::unique_ptr<MessageDeflate> deflate;
    ConnectionTable::Entry entry;
    std::string in;
    WebSocketDecoder decoder;
    SocketAddress peer;
    std::unique_ptr<Connecting> connecting;
    bool client;
    bool listed = false;  ///< stands in Outgoing
    bool told = false;    ///< on_close was called
    Phase phase;
};

WebSocketConnection::WebSocketConnection(Start start)
    : state_(std::make_unique<State>(std::move(start))) {}
WebSocketConnection::~WebSocketConnection() = default;

Ref<WebSocketConnection> start_websocket(WebSocketConnection::Start start) {
    auto ref = spawn<WebSocketConnection>(std::move(start));
    cast(ref, WebSocketConnection::Begin{});
    return ref;
}

Ref<WebSocketConnection> connect_websocket(WebSocketClientOptions options,
                                           std::unique_ptr<WebSocketHandler> handler) {
    Result<SocketHandle> socket = reactor().connect(options.address);
    WebSocketConnection::Start start{
        .stream = TcpStream(socket ? *socket : -1),
        .handler = std::move(handler),
        .options = options.socket,
        .table = client_connection_table(),
        .input = {},
        .peer = options.address,
        .role = WebSocketDecoder::Role::client,
        .handshake_key = websocket_key(),
        .protocols = options.protocols,
        .connect_timeout = options.connect_timeout,
    };
    if (options.tls) start.stream.secure_with(options.tls->connect(options.server_name));
    std::vector<std::string_view> offered(options.protocols.begin(), options.protocols.end());
    std::string host = options.host.empty() ? options.address.to_string() : options.host;
    append_client_handshake(start.stream.out(), {.host = host,
                                                 .target = options.path,
                                                 .key = start.handshake_key,
                                                 .protocols = offered,
                                                 .extra = nullptr});
    return start_websocket(std::move(start));
}

bool WebSocketConnection::open() const {
    return state_->phase == State::Phase::open;
}
SocketAddress WebSocketConnection::peer() const {
    return state_->peer;
}
std::size_t WebSocketConnection::outbox_bytes() const {
    return state_->stream.pending();
}

void WebSocketConnection::handle(Begin) {
    self_ = Ref<WebSocketConnection>(bennu::self());
    State& state = *state_;
    state.entry.set_connection(bennu::self());
    if (state.stream.socket() < 0 || !state.stream.watch()) {
        finish(close_code::abnormal, "the connection failed");
        return;
    }
    if (state.phase == State::Phase::connecting) {
        state.entry.set_deadline(now() + state.connecting->timeout);
        return;
    }
    flush_later();
    opened();
    if (state.stream.buffered()) handle_io(0, {.readable = true});
}

void WebSocketConnection::opened() {
    state_->phase = State::Phase::open;
    state_->entry.set_deadline(now() + state_->idle_timeout);
    guarded([this] { state_->handler->on_open(*this); });
    if (!state_->in.empty()) decode_buffered();
}

template <typename F>
void WebSocketConnection::guarded(F&& code) {
    // A handler's fault ends this connection in an orderly way: the client learns that it was our
    // fault.
    try {
        code();
    } catch (const std::exception& fault) {
        log_error("a socket handler crashed",
                  {{"pid", self_.pid().to_string()}, {"reason", fault.what()}});
        close(close_code::internal_error, "internal error");
    }
}

void WebSocketConnection::handle_io(std::uint8_t, Readiness ready) {
    State& state = *state_;
    if (state.phase == State::Phase::closed) return;
    if (state.phase == State::Phase::connecting && (ready.writable || ready.hangup)) {
        state.phase = State::Phase::handshaking;
    }
    if (ready.writable && state.stream.pending() > 0) flush();
    if (!ready.readable && !ready.hangup) return;
    while (state.phase != State::Phase::closed) {
        TcpStream::Read got = state.stream.read();
        if (got.kind == TcpStream::Read::Kind::would_block) break;
        if (got.kind == TcpStream::Read::Kind::closed) {
            finish(close_code::abnormal, "the connection was lost");
            return;
        }
        received(got.bytes);
        if (got.drained && !ready.hangup) break;
    }
}

void WebSocketConnection::received(std::span<char> bytes) {
    State& state = *state_;
    if (state.phase == State::Phase::handshaking) {
        state.in.append(bytes.data(), bytes.size());
        finish_handshake();
        return;
    }
    if (!state.in.empty()) {
        state.in.append(bytes.data(), bytes.size());
        decode_buffered();
        return;
    }
    std::size_t consumed = decode(bytes);
    if (state.phase != State::Phase::closed)
        state.in.assign(bytes.data() + consumed, bytes.size() - consumed);
}

void WebSocketConnection::finish_handshake() {
    State& state = *state_;
    std::vector<std::string_view> offered(state.connecting->protocols.begin(),
                                          state.connecting->protocols.end());
    auto reply = read_client_handshake(state.in, state.connecting->key, offered);
    if (!reply) {
        finish(close_code::abnormal, reply.error().describe());
    } else if (reply->consumed > 0) {
        state.in.erase(0, reply->consumed);
        state.connecting.reset();
        opened();
    }
}

void WebSocketConnection::decode_buffered() {
    State& state = *state_;
    std::size_t consumed = decode(state.in);
    state.in.erase(0, consumed);
    if (state.in.empty()) std::string().swap(state.in);
}

std::size_t WebSocketConnection::decode(std::span<char> input) {
    State& state = *state_;
    std::size_t consumed = 0;
    while (state.phase == State::Phase::open || state.phase == State::Phase::closing) {
        WebSocketEvent event = state.decoder.next(input.subspan(consumed));
        switch (event.kind) {
            case WebSocketEvent::Kind::need_more:
                return consumed + event.consumed;
            case WebSocketEvent::Kind::text:
            case WebSocketEvent::Kind::binary:
                if (state.phase == State::Phase::open) message(event);
                break;
            case WebSocketEvent::Kind::ping:
                send(Opcode::pong, event.payload);
                break;
            case WebSocketEvent::Kind::pong:
                break;
            case WebSocketEvent::Kind::close: {
                std::uint16_t code = event.code;
                std::string reason(event.payload);
                if (state.phase == State::Phase::open) {
                    send_close(code == close_code::none ? close_code::normal : code, {});
                }
                finish(code, reason);
                return consumed + event.consumed;
            }
            case WebSocketEvent::Kind::error: {
                std::uint16_t code = event.code;
                std::string reason(event.payload);
                if (state.phase == State::Phase::open) send_close(code, reason);
                finish(code, reason);
                return consumed + event.consumed;
            }
        }
        consumed += event.consumed;
        if (state.phase == State::Phase::open) {
            state.entry.set_deadline(now() + state.idle_timeout);
        }
    }
    return input.size();
}

void WebSocketConnection::message(const WebSocketEvent& event) {
    State& state = *state_;
    std::string_view payload = event.payload;
    bool text = event.kind == WebSocketEvent::Kind::text;
    Result<std::string> inflated = std::string();
    if (event.compressed) {
        inflated = state.deflate->decompress(payload);
        std::uint16_t code = inflated ? close_code::normal : close_code::bad_text;
        if (!inflated && inflated.error().kind() == ErrorKind::too_large)
            code = close_code::too_big;
        if (inflated && text && !valid_utf8(*inflated)) code = close_code::bad_text;
        if (code != close_code::normal) {
            std::string_view reason = inflated ? "text is not UTF-8" : inflated.error().message();
            send_close(code, reason);
            finish(code, reason);
            return;
        }
        payload = *inflated;
    }
    guarded([&] {
        text ? state.handler->on_text(*this, payload) : state.handler->on_binary(*this, payload);
    });
}

void WebSocketConnection::send(Opcode opcode, std::string_view payload) {
    State& state = *state_;
    if (state.phase != State::Phase::open) return;
    bool data = opcode == Opcode::text || opcode == Opcode::binary;
    if (state.deflate && data && payload.size() >= state.deflate->min_size()) {
        encode_fragment(state.stream.out(), opcode, state.deflate->compress(payload),
                        {.compressed = true});
    } else if (state.client) {
        auto key = static_cast<std::uint32_t>(random().next()) | 1;
        encode_masked_frame(state.stream.out(), opcode, payload, key);
    } else {
        encode_frame(state.stream.out(), opcode, payload);
    }
    flush_later();
}

void WebSocketConnection::send_text(std::string_view text) {
    send(Opcode::text, text);
}
void WebSocketConnection::send_binary(std::string_view data) {
    send(Opcode::binary, data);
}

void WebSocketConnection::send_frame(std::string_view frame) {
    if (state_->phase != State::Phase::open) return;
    state_->stream.write(frame);
    flush_later();
}

void WebSocketConnection::send_close(std::uint16_t code, std::string_view reason) {
    State& state = *state_;
    if (state.client) {
        auto key = static_cast<std::uint32_t>(random().next()) | 1;
        encode_masked_close(state.stream.out(), code, reason, key);
    } else {
        encode_close(state.stream.out(), code, reason);
    }
    state.phase = State::Phase::closing;
    flush_later();
}

void WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
    State& state = *state_;
    if (state.phase == State::Phase::open) {
        send_close(code, reason);
        state.entry.set_deadline(now() + 1s);
        tell_closed(code, reason);
    } else if (state.phase == State::Phase::connecting ||
               state.phase == State::Phase::handshaking) {
        finish(close_code::abnormal, reason);
    }
}

void WebSocketConnection::flush_later() {
    State& state = *state_;
    if (state.listed) return;
    if (state.stream.pending() > state.max_outbox) {
        log_warning("a slow socket is disconnected",
                    {{"pid", self_.pid().to_string()}, {"outbox", state.stream.pending()}});
        // Not from here: the caller may be in the middle of a fan-out.
        cast(self_, Overdue{});
    }
    auto& outgoing = shard_local<Outgoing>();
    if (outgoing.sockets.empty()) {
        at_turn_end([&outgoing] {
            std::vector<Ref<WebSocketConnection>> sockets = std::exchange(outgoing.sockets, {});
            for (Ref<WebSocketConnection> ref : sockets) {
                if (WebSocketConnection* socket = local_body(ref)) socket->flush();
            }
        });
    }
    outgoing.sockets.push_back(self_);
    state.listed = true;
}

void WebSocketConnection::flush() {
    State& state = *state_;
    state.listed = false;
    if (state.phase == State::Phase::connecting) return;
    if (!state.stream.flush()) {
        cast(self_, Overdue{});
    } else if (state.phase == State::Phase::draining && state.stream.pending() == 0) {
        leave();
    }
}

void WebSocketConnection::handle(Overdue) {
    switch (state_->phase) {
        case State::Phase::open:
            if (state_->stream.pending() > 0) {
                finish(close_code::abnormal, "the client does not read");
            } else {
                close(close_code::normal, "idle");
            }
            break;
        case State::Phase::connecting:
        case State::Phase::handshaking:
            finish(close_code::abnormal, "no answer to the handshake");
            break;
        case State::Phase::draining:
            leave();
            break;
        case State::Phase::closing:
        case State::Phase::closed:
            finish(close_code::abnormal, "no answer to the close");
            break;
    }
}

void WebSocketConnection::tell_closed(std::uint16_t code, std::string_view reason) {
    if (std::exchange(state_->told, true)) return;
    try {
        state_->handler->on_close(*this, code, reason);
    } catch (const std::exception& fault) {
        log_error("a socket handler crashed",
                  {{"pid", self_.pid().to_string()}, {"reason", fault.what()}});
    }
}

void WebSocketConnection::finish(std::uint16_t code, std::string_view reason) {
    State& state = *state_;
    if (state.phase == State::Phase::closed) return;
    if (state.phase == State::Phase::draining) {
        leave();
        return;
    }
    bool alive = state.stream.pending() == 0 || state.stream.flush();
    tell_closed(code, reason);
    if (alive && state.stream.pending() > 0 && code != close_code::abnormal) {
        state.phase = State::Phase::draining;
        state.entry.set_deadline(now() + 5s);
        return;
    }
    leave();
}

void WebSocketConnection::leave() {
    if (std::exchange(state_->phase, State::Phase::closed) == State::Phase::closed) return;
    state_->stream.shutdown_write();
    exit_self();
}

void WebSocketConnection::handle(SendFrame message) {
    send_frame(*message.frame);
}
void WebSocketConnection::handle(SendText message) {
    send_text(message.text);
}
void WebSocketConnection::handle(CloseWith message) {
    close(message.code, message.reason);
}
void WebSocketConnection::handle(Notify message) {
    if (state_->phase == State::Phase::open) {
        guarded([&] { message.run(*this, *state_->handler); });
    }
}
void WebSocketConnection::handle(Down down) {
    guarded([&] { state_->handler->on_down(*this, std::move(down)); });
}

Task<> WebSocketConnection::terminate(ExitReason) {
    // Browsers reconnect after 1012; the half second lets the close frame and its answer through.
    close(close_code::service_restart, "the server restarts");
    Instant deadline = now() + 500ms;
    auto going = [this] {
        return state_->phase == State::Phase::closing || state_->phase == State::Phase::draining;
    };
    while (going() && now() < deadline) co_await sleep(10ms);
}

}  // namespace bennu::net
