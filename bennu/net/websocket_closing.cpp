// How a WebSocket ends: by either side, by time-out, or with its connection.
#include "bennu/base/log.hpp"
#include "bennu/net/websocket_state.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

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

void WebSocketConnection::handle(Overdue) {
    switch (state_->phase) {
        case State::Phase::open:
            if (state_->unsent() > 0 || state_->given_up) {
                give_up("the client does not read");
            } else {
                // Clients stay away after 1000: some versions of npm phoenix do.
                close(close_code::going_away, "idle");
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
            give_up("no answer to the close");
            break;
    }
}

void WebSocketConnection::give_up(std::string_view reason) {
    // Nobody is going to take what is on its way.
    if (state_->carrier && state_->unsent() > 0) state_->carrier->abort();
    finish(close_code::abnormal, reason);
}

void WebSocketConnection::tell_closed(std::uint16_t code, std::string_view reason) {
    if (state_->told) return;
    state_->told = true;
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
    if (state.carrier) {
        // What still waits for the client is the carrier's business, and its time-out.
        hand_over();
        tell_closed(code, reason);
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
    if (state_->phase == State::Phase::closed) return;
    state_->phase = State::Phase::closed;
    state_->carrier ? state_->carrier->finish() : state_->stream.shutdown_write();
    exit_self();
}

Task<> WebSocketConnection::terminate(ExitReason) {
    // Browsers reconnect after 1012; the half second lets the close frame and its answer through.
    close(close_code::service_restart, "the server restarts");
    Instant deadline = now() + 500ms;
    auto going = [this] {
        return state_->phase == State::Phase::closing || state_->phase == State::Phase::draining;
    };
    while (going() && now() < deadline) {
        co_await sleep(10ms);
        // Messages wait until this is done.
        if (state_->carrier) handle(Carried{});
    }
    if (state_->carrier) state_->carrier->finish();
}

}  // namespace bennu::net
