#include "bennu/net/http_connection.hpp"

#include "bennu/base/events.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/net/http_stream_state.hpp"
#include "bennu/net/proxy_protocol.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

constinit EventName tls_handshake{"net.tls.handshake"};

}  // namespace

HttpConnection::HttpConnection(SocketHandle socket, const HttpServing& serving,
                               std::shared_ptr<ConnectionTable> table, std::uint32_t address)
    : stream_(socket),
      serving_(&serving),
      entry_(std::move(table), [](Pid pid) { cast(Ref<HttpConnection>(pid), Expired{}); }),
      parser_(serving.options.limits) {
    entry_.set_address(address);
    peer_.host.clear();
    if (options().proxy_protocol) {
        phase_ = Phase::proxy_header;
    } else if (serving.tls) {
        // Counted at once: the acceptor takes many connections before any of them has its turn.
        phase_ = Phase::handshaking;
        ++entry_.table()->handshakes;
    }
}

HttpConnection::~HttpConnection() {
    if (phase_ == Phase::handshaking) --entry_.table()->handshakes;
}

void HttpConnection::handle(Begin) {
    entry_.set_connection(self());
    if (phase_ == Phase::handshaking) {
        begin_handshake({});
    } else {
        set_phase(phase_);
    }
    if (!stream_.watch()) end();
}

bool HttpConnection::read_proxy_header(std::span<char> bytes) {
    in_.append(bytes.data(), bytes.size());
    ProxyHeader header = net::read_proxy_header(in_);
    if (header.kind == ProxyHeader::Kind::need_more) return true;
    if (header.kind == ProxyHeader::Kind::malformed) return false;
    std::string rest = in_.substr(header.consumed);
    std::string().swap(in_);
    if (header.client) {
        peer_ = *std::move(header.client);
        AddressCounts::Entry counted = entry_.table()->addresses->enter(peer_.host);
        if (!counted.admitted) return false;
        entry_.set_address(counted.slot);
    }
    if (serving_->tls) {
        ++entry_.table()->handshakes;
        begin_handshake(rest);
        readable_ = true;  // what it has received already is still to be read
    } else {
        set_phase(Phase::idle);
        in_ = std::move(rest);
    }
    return true;
}

void HttpConnection::begin_handshake(std::string_view received) {
    set_phase(Phase::handshaking);
    stream_.secure_with(serving_->tls->accept(), received);
}

void HttpConnection::end_handshake(std::string_view outcome) {
    --entry_.table()->handshakes;
    const TlsSession& tls = *stream_.tls();
    emit(tls_handshake, {},
         {{"outcome", outcome},
          {"version", tls.version()},
          {"protocol", tls.protocol()},
          {"resumed", tls.resumed()},
          {"failure", tls.failure()}});
}

void HttpConnection::established() {
    end_handshake("ok");
    set_phase(Phase::idle);
}

void HttpConnection::set_phase(Phase phase) {
    phase_ = phase;
    switch (phase) {
        case Phase::proxy_header:
            entry_.set_deadline(now() + options().proxy_timeout);
            break;
        case Phase::handshaking:
            entry_.set_deadline(now() + options().tls->handshake_timeout);
            break;
        case Phase::idle:
            entry_.set_deadline(now() + options().idle_timeout);
            break;
        case Phase::reading_head:
            entry_.set_deadline(now() + options().head_timeout);
            break;
        case Phase::reading_body:
            entry_.set_deadline(body_deadline());
            break;
        case Phase::answering:
            entry_.clear_deadline();
            break;
        case Phase::lingering:
            entry_.set_deadline(now() + 2s);
            break;
    }
}

Instant HttpConnection::body_deadline() const {
    Pace pace;
    pace.moved(incoming_->body.size());
    pace.waited(now() - incoming_->body_started);
    return now() + pace.patience({options().body_timeout, options().body_rate_grace,
                                  options().min_body_rate});
}

void HttpConnection::handle(Expired) {
    // The message may have waited behind a request that came in the meantime.
    if (!entry_.expired()) return;
    if (phase_ == Phase::reading_head || phase_ == Phase::reading_body) {
        HttpResponse response = serving_->handler->failure(408, "request_timeout",
                                                           "the request took too long to arrive");
        write_response(response, {.keep_alive = false});
        finish_output(true);
    } else if (phase_ == Phase::handshaking) {
        end_handshake("timeout");
        phase_ = Phase::idle;
        end();
    } else if (phase_ != Phase::answering) {
        end();
    }
}

void HttpConnection::handle_io(std::uint8_t, Readiness ready) {
    if (ended_) return;
    if (ready.writable && stream_.pending() > 0 && !stream_.flush()) lost_ = true;
    if (ready.readable || ready.hangup) readable_ = true;
    if (waiting_) {
        if (ready.hangup) waiting_->hung_up = true;
        if (ready.writable || lost_) waiting_->writers.notify();
        if (readable_) waiting_->readers.notify();
        if (ready.hangup || lost_) waiting_->enders.notify();
    }
    if (serving_request_) return;
    if (lost_) {
        end();
        return;
    }
    if (phase_ == Phase::lingering && stream_.pending() == 0) stream_.shutdown_write();
    if (readable_) read_input();
}

void HttpConnection::wind_up() {
    if (waiting_) waiting_->enders.notify();
}

HttpConnection::Waiting& HttpConnection::waiting() {
    if (!waiting_) waiting_ = std::make_unique<Waiting>();
    return *waiting_;
}

void HttpConnection::read_input() {
    while (readable_ && !ended_) {
        TcpStream::Read got = stream_.read();
        if (phase_ == Phase::handshaking && stream_.tls()->status() == TlsSession::Status::open)
            established();
        if (got.kind == TcpStream::Read::Kind::closed) {
            if (std::exchange(phase_, Phase::idle) == Phase::handshaking) end_handshake("failed");
            end();
            return;
        }
        readable_ = got.kind == TcpStream::Read::Kind::data && !got.drained;
        if (got.kind != TcpStream::Read::Kind::data || phase_ == Phase::lingering) continue;
        std::span<char> bytes = got.bytes;
        if (phase_ == Phase::proxy_header) {
            if (!read_proxy_header(bytes)) {
                end();
                return;
            }
            if (phase_ != Phase::idle || in_.empty()) continue;
            bytes = {};
        }
        switch (parse(bytes)) {
            case Step::need_more:
                break;
            case Step::refused:
                return;
            case Step::request:
                serving_request_ = true;
                run_in_process(serve());
                return;
        }
    }
}

HttpConnection::Step HttpConnection::parse(std::span<char> fresh) {
    std::size_t consumed = 0;
    if (in_.empty()) {
        std::string_view input(fresh.data(), fresh.size());
        Step step = parse_from(input, consumed);
        in_.assign(input.substr(consumed));
        return step;
    }
    in_.append(fresh.data(), fresh.size());
    Step step = parse_from(in_, consumed);
    in_.erase(0, consumed);
    if (in_.empty()) std::string().swap(in_);
    return step;
}

HttpConnection::Step HttpConnection::parse_from(std::string_view input, std::size_t& consumed) {
    if (!incoming_) {
        incoming_ = std::make_unique<Incoming>();
        incoming_->received = now();
    }
    while (true) {
        Http1Event event = parser_.next(input.substr(consumed), incoming_->head);
        consumed += event.consumed;
        switch (event.kind) {
            case Http1Event::Kind::need_more:
                if (parser_.idle()) {
                    incoming_.reset();
                    if (phase_ != Phase::idle) set_phase(Phase::idle);
                } else if (phase_ == Phase::reading_body) {
                    set_phase(Phase::reading_body);
                } else if (phase_ == Phase::idle || phase_ == Phase::answering) {
                    set_phase(Phase::reading_head);
                }
                return Step::need_more;
            case Http1Event::Kind::head: {
                RequestHead& head = incoming_->head;
                if (!head.has_body()) break;
                BodyPlan plan = serving_->handler->body_plan(head);
                parser_.body_limit(plan.limit);
                if (head.content_length.value_or(0) > plan.limit)
                    break;  // refused by the next step
                if (plan.delivery == BodyPlan::Delivery::streamed) {
                    incoming_->streamed = true;
                    set_phase(Phase::answering);
                    return Step::request;
                }
                incoming_->body_started = now();
                set_phase(Phase::reading_body);
                if (head.expect_continue) {
                    stream_.write(continue_response);
                    if (!stream_.flush()) lost_ = true;
                }
                break;
            }
            case Http1Event::Kind::body:
                incoming_->body.append(event.body);
                break;
            case Http1Event::Kind::done:
                incoming_->trailers = parser_.take_trailers();
                set_phase(Phase::answering);
                return Step::request;
            case Http1Event::Kind::error:
                refuse(*event.refusal);
                return Step::refused;
        }
    }
}

void HttpConnection::refuse(const Http1Refusal& refusal) {
    HttpResponse response =
        serving_->handler->failure(refusal.status, refusal.code, refusal.message);
    write_response(response, {.keep_alive = false});
    finish_output(true);
}

void HttpConnection::finish_output(bool close) {
    if (!stream_.flush()) lost_ = true;
    if (!close) return;
    if (lost_) {
        end();
        return;
    }
    // Half-close and read on for a moment: closing with unread input would reset the connection and
    // could take the answer away from the client.
    set_phase(Phase::lingering);
    if (stream_.pending() == 0) stream_.shutdown_write();
    std::string().swap(in_);
    incoming_.reset();
}

Task<> HttpConnection::terminate(ExitReason) {
    end();
    co_return;
}

bool HttpConnection::silent_for(Duration draining) const {
    return phase_ == Phase::idle && draining >= (served_ > 0 ? Duration(250ms) : Duration(1s));
}

void HttpConnection::end() {
    if (std::exchange(ended_, true)) return;
    stream_.close();
    exit_self();
}

}  // namespace bennu::net
