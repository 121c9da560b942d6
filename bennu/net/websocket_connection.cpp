#include "bennu/net/websocket_connection.hpp"

#include "bennu/base/log.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/net/websocket_state.hpp"
#include "bennu/runtime/log_bound.hpp"

namespace bennu::net {

void WebSocketHandler::on_down(WebSocketConnection&, Down) {}
void WebSocketHandler::on_drained(WebSocketConnection&) {}
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

struct FloodLog {
    LogBound bound;
};

}  // namespace

WebSocketConnection::WebSocketConnection(Start start)
    : state_(std::make_unique<State>(std::move(start))) {
    static_assert(sizeof(State) <= 248, "a million sockets have one each");
}
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
    return state_->unsent();
}

std::size_t WebSocketConnection::waiting_bytes() const {
    return state_->waiting();
}
void WebSocketConnection::tell_when_drained() {
    State& state = *state_;
    state.tell_taken = true;
    if (state.unsent() == 0) {
        cast(self_, Drained{});
    } else if (state.carrier) {
        state.carrier->tell_when_sent();
    }
}
bool WebSocketConnection::slow() const {
    return state_->slow;
}
void WebSocketConnection::caught_up() {
    state_->slow = false;
}
WebSocketHandler& WebSocketConnection::handler() {
    return *state_->handler;
}

void WebSocketConnection::handle(Begin) {
    self_ = Ref<WebSocketConnection>(bennu::self());
    State& state = *state_;
    state.entry.set_connection(bennu::self());
    if (!state.carrier && (state.stream.socket() < 0 || !state.stream.watch())) {
        finish(close_code::abnormal, "the connection failed");
        return;
    }
    if (state.phase == State::Phase::connecting) {
        state.entry.set_deadline(now() + state.aside->timeout);
        return;
    }
    flush_later();
    opened();
    if (state.carrier) {
        handle(Carried{});
    } else {
        read();
    }
}

void WebSocketConnection::opened() {
    state_->phase = State::Phase::open;
    state_->entry.set_deadline(now() + state_->idle_timeout());
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
    state.stream.note(ready);
    if (state.phase == State::Phase::connecting && (ready.writable || ready.hangup)) {
        state.phase = State::Phase::handshaking;
    }
    if (ready.writable && state.stream.pending() > 0) flush();
    read();
}

void WebSocketConnection::read() {
    State& state = *state_;
    if (state.phase == State::Phase::closed) return;
    const TcpStream::Turn turn = state.stream.read_turn([this](std::span<char> bytes) {
        received(bytes);
        return state_->phase != State::Phase::closed;
    });
    if (turn == TcpStream::Turn::portion_read) state.stream.go_on_next_turn();
    if (turn == TcpStream::Turn::closed) finish(close_code::abnormal, "the connection was lost");
}

void WebSocketConnection::handle(Carried) {
    State& state = *state_;
    if (state.phase == State::Phase::closed) return;
    if (std::string bytes = state.carrier->take(); !bytes.empty()) {
        received(bytes);
        state.carrier->consumed(bytes.size());
    }
    if (state.carrier->ended()) {
        finish(close_code::abnormal, "the connection was lost");
    } else if ((state.slow || state.tell_taken) && state.unsent() == 0) {
        handle(Drained{});
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
    std::vector<std::string_view> offered(state.aside->protocols.begin(),
                                          state.aside->protocols.end());
    auto reply = read_client_handshake(state.in, state.aside->key, offered);
    if (!reply) {
        finish(close_code::abnormal, reply.error().describe());
    } else if (reply->consumed > 0) {
        state.in.erase(0, reply->consumed);
        state.aside.reset();
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
            case WebSocketEvent::Kind::pong:
                if (!state.may_control()) {
                    refuse(close_code::policy, too_many_control_frames);
                    return consumed + event.consumed;
                }
                if (event.kind == WebSocketEvent::Kind::ping) send(Opcode::pong, event.payload);
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
                refuse(code, reason);
                return consumed + event.consumed;
            }
        }
        consumed += event.consumed;
        if (state.phase == State::Phase::open) {
            state.entry.set_deadline(now() + state.idle_timeout());
        }
        if (consumed == input.size() && state.decoder.idle()) break;
    }
    return input.size();
}

/// Ends the connection for what the peer sent.
void WebSocketConnection::refuse(std::uint16_t code, std::string_view reason) {
    if (code == close_code::policy) {
        if (auto others = shard_local<FloodLog>().bound.next()) {
            log_warning("a WebSocket sends more frames than it may, and ends with 1008",
                        {{"why", reason}, {"peer", state_->peer.to_string()}, {"others", *others}});
        }
    }
    if (state_->phase == State::Phase::open) send_close(code, reason);
    finish(code, reason);
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
            refuse(code, reason);
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
    if (state.phase != State::Phase::open || state.given_up) return;
    const std::size_t before = state.stream.pending();
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
    sent(state.stream.pending() - before);
}

void WebSocketConnection::send_text(std::string_view text) {
    send(Opcode::text, text);
}
void WebSocketConnection::send_binary(std::string_view data) {
    send(Opcode::binary, data);
}

void WebSocketConnection::send_frame(std::string_view frame) {
    if (state_->phase != State::Phase::open || state_->given_up) return;
    state_->stream.write(frame);
    sent(frame.size());
}

/// Bounds what waits, so that one slow client never holds memory for the others.
void WebSocketConnection::sent(std::size_t bytes) {
    State& state = *state_;
    state.count(bytes);
    flush_later();
    if (state.waiting() <= state.max_outbox) return;
    // It may only be that much was sent within this turn.
    if (write_out() && state.waiting() <= state.max_outbox) return;
    log_warning("a slow socket is disconnected",
                {{"pid", self_.pid().to_string()}, {"outbox", state.unsent()}});
    state.given_up = true;
    // Not from here: the caller may be in the middle of a fan-out.
    cast(self_, Overdue{});
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

void WebSocketConnection::flush_later() {
    State& state = *state_;
    if (state.listed) return;
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
    const bool had_some = state.stream.pending() > 0;
    if (!write_out()) {
        cast(self_, Overdue{});
        return;
    }
    if (state.carrier && state.carrier->waiting()) cast(self_, Carried{});
    if (state.slow_outbox > 0 && state.waiting() > state.slow_outbox) state.slow = true;
    if (state.phase == State::Phase::open && state.unsent() <= state.lowest_bound())
        state.aside.reset();
    if (state.slow || state.tell_taken) {
        if (const std::size_t left = state.unsent(); left > 0 && state.carrier) {
            state.carrier->tell_when_sent();
        } else if (left == 0 && had_some) {
            cast(self_, Drained{});
        }
    }
    if (state.phase == State::Phase::draining && state.stream.pending() == 0) {
        leave();
    }
}

/// What the client takes of what was sent. False when the connection is lost.
bool WebSocketConnection::write_out() {
    if (!state_->carrier) return state_->stream.flush();
    hand_over();
    return true;
}

void WebSocketConnection::hand_over() {
    std::string& out = state_->stream.out();
    if (!out.empty()) state_->carrier->send(std::exchange(out, {}));
}

void WebSocketConnection::handle(Drained) {
    State& state = *state_;
    if (state.phase != State::Phase::open || state.unsent() > 0) return;
    state.tell_taken = false;
    guarded([&] { state.handler->on_drained(*this); });
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

}  // namespace bennu::net
