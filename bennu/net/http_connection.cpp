#include "bennu/net/http_connection.hpp"

#include "bennu/base/events.hpp"
#include "bennu/net/http2_connection.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/net/http_stream_state.hpp"
#include "bennu/net/proxy_protocol.hpp"
#include "bennu/net/refused_request.hpp"
#include "bennu/runtime/ready_queue.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

constinit EventName tls_handshake{"net.tls.handshake"};
constinit EventName request_refused{"net.request.refused"};

/// Answers of a client that does not read them while it asks for more.
constexpr std::size_t most_unread_refusals = 64 * 1024;

}  // namespace

HttpConnection::HttpConnection(SocketHandle socket, const HttpServing& serving,
                               std::shared_ptr<ConnectionTable> table, ConnectionSeat seat)
    : stream_(socket),
      serving_(&serving),
      entry_(
          std::move(table), [](Pid pid) { cast(Ref<HttpConnection>(pid), Expired{}); }, seat),
      parser_(serving.options.limits) {
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

void HttpConnection::handle(Begin begin) {
    entry_.set_connection(self());
    if (phase_ == Phase::handshaking) {
        begin_handshake({});
    } else {
        set_phase(phase_);
    }
    if (!stream_.watch()) {
        end();
        return;
    }
    // Its request has often come along. Read now, it is not behind all that is ready by the next
    // turn, and its wait is counted from where it began.
    const ReadySince since(begin.since);
    stream_.note({.readable = true});
    read_input();
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
        stream_.note({.readable = true});  // what it has received already is still to be read
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
    pace.moved(incoming_->request.body.size());
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
        tell_of_refusal(408, "request_timeout", in_);
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
    stream_.note(ready);
    if (ready.writable && stream_.pending() > 0 && !stream_.flush()) lost_ = true;
    if (waiting_) {
        if (ready.writable || lost_) waiting_->writers.notify();
        if (stream_.readable()) waiting_->readers.notify();
        if (ready.hangup || lost_) waiting_->enders.notify();
    }
    if (serving_request_) return;
    if (lost_) {
        end();
        return;
    }
    if (phase_ == Phase::lingering && stream_.pending() == 0) stream_.shutdown_write();
    if (stream_.readable()) read_input();
}

bool HttpConnection::silent_for(Duration draining) const {
    return !ended_ && phase_ == Phase::idle && draining >= options().drain.silence;
}

void HttpConnection::handle(EndSilence message) {
    if (!silent_for(message.draining)) return;
    // What its client has sent since the kernel was last asked would be lost with the connection.
    stream_.note({.readable = true});
    read_input();
    if (phase_ == Phase::idle && !serving_request_) end();
}

void HttpConnection::wind_up() {
    if (waiting_) waiting_->enders.notify();
}

HttpConnection::Waiting& HttpConnection::waiting() {
    if (!waiting_) waiting_ = std::make_unique<Waiting>();
    return *waiting_;
}

void HttpConnection::read_input() {
    if (ended_) return;
    const TcpStream::Turn turn =
        stream_.read_turn([this](std::span<char> bytes) { return take_input(bytes); });
    if (turn == TcpStream::Turn::stopped || handshake_done({})) return;
    if (turn == TcpStream::Turn::closed) {
        if (std::exchange(phase_, Phase::idle) == Phase::handshaking) end_handshake("failed");
        end();
    } else if (turn == TcpStream::Turn::portion_read) {
        stream_.go_on_next_turn();
    }
}

bool HttpConnection::handshake_done(std::span<char> bytes) {
    if (phase_ != Phase::handshaking || stream_.tls()->status() != TlsSession::Status::open)
        return false;
    established();
    if (stream_.tls()->protocol() != "h2") return false;
    become_http2({bytes.data(), bytes.size()});
    return true;
}

bool HttpConnection::take_input(std::span<char> bytes) {
    if (handshake_done(bytes)) return false;
    if (phase_ == Phase::lingering) return true;
    if (phase_ == Phase::proxy_header) {
        if (!read_proxy_header(bytes)) {
            end();
            return false;
        }
        if (phase_ != Phase::idle || in_.empty()) return true;
        bytes = {};
    }
    switch (parse(bytes)) {
        case Step::need_more:
            if (stream_.pending() == 0) break;
            if (!stream_.flush() || stream_.pending() > most_unread_refusals) {
                end();
                return false;
            }
            break;
        case Step::refused:
        case Step::handed_over:
            return false;
        case Step::request:
            serving_request_ = true;
            run_in_process(serve());
            return false;
    }
    return true;
}

std::optional<HttpConnection::Step> HttpConnection::recognise_http2(std::span<char> fresh) {
    if (served_ > 0 || incoming_ || stream_.secure() || options().http2.streams == 0)
        return std::nullopt;
    std::string input = in_;
    input.append(fresh.data(), std::min(fresh.size(), http2_preface.size()));
    if (input.starts_with(http2_preface)) {
        become_http2(std::exchange(in_, {}).append(fresh.data(), fresh.size()));
        return Step::handed_over;
    }
    if (input.empty() || !http2_preface.starts_with(input)) return std::nullopt;
    in_ = std::move(input);
    if (phase_ == Phase::idle) set_phase(Phase::reading_head);
    return Step::need_more;
}

void HttpConnection::become_http2(std::string input) {
    start_http2({.stream = std::move(stream_),
                 .serving = serving_,
                 .table = entry_.table(),
                 .input = std::move(input),
                 .peer = peer_,
                 .seat = entry_.take_seat(),
                 .since = ready_since()});
    ended_ = true;
    exit_self();
}

HttpConnection::Step HttpConnection::parse(std::span<char> fresh) {
    if (auto step = recognise_http2(fresh)) return *step;
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
        incoming_->request.received = now();
    }
    while (true) {
        const std::string_view rest = input.substr(consumed);
        Http1Event event = parser_.next(rest, incoming_->request.head);
        consumed += event.consumed;
        switch (event.kind) {
            case Http1Event::Kind::need_more:
                if (incoming_->deferred) {
                    incoming_->streamed = true;
                    set_phase(Phase::answering);
                    return Step::request;
                }
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
                RequestHead& head = incoming_->request.head;
                incoming_->head_read = true;
                if (turn_away(head)) {
                    if (refuse_busy("overloaded", "there is too much to do right now") ==
                        Step::refused) {
                        return Step::refused;
                    }
                    break;
                }
                if (!head.has_body()) break;
                BodyPlan plan = serving_->handler->body_plan(head);
                parser_.body_limit(plan.limit);
                if (plan.delivery == BodyPlan::Delivery::refused) {
                    tell_of_refusal(503, "busy", {});
                    return refuse_busy("busy", "too many requests of this kind are under way");
                }
                if (head.content_length.value_or(0) > plan.limit)
                    break;  // refused by the next step
                if (plan.delivery == BodyPlan::Delivery::streamed) {
                    incoming_->streamed = true;
                    set_phase(Phase::answering);
                    return Step::request;
                }
                incoming_->deferred = plan.delivery == BodyPlan::Delivery::deferred;
                if (incoming_->deferred) break;
                incoming_->body_started = now();
                set_phase(Phase::reading_body);
                if (head.expect_continue) {
                    stream_.write(continue_response);
                    if (!stream_.flush()) lost_ = true;
                }
                break;
            }
            case Http1Event::Kind::body:
                incoming_->request.body.append(event.body);
                break;
            case Http1Event::Kind::done:
                if (incoming_->refused) {
                    incoming_->refused = incoming_->head_read = false;
                    incoming_->request.received = now();
                    break;
                }
                incoming_->request.trailers = parser_.take_trailers();
                set_phase(Phase::answering);
                return Step::request;
            case Http1Event::Kind::error:
                refuse(*event.refusal, rest);
                return Step::refused;
        }
    }
}

void HttpConnection::tell_of_refusal(int status, std::string_view code, std::string_view seen) {
    if (peer_.host.empty()) peer_ = reactor().peer_address(stream_.socket());
    RefusedRequest request{.status = status,
                           .code = code,
                           .peer = peer_,
                           .received = incoming_ ? incoming_->request.received : now()};
    if (incoming_ && incoming_->head_read) {
        request.method = incoming_->request.head.method_text();
        request.path = incoming_->request.head.path();
    } else {
        const SeenRequestLine line = seen_request_line(seen);
        request.method = line.method;
        request.path = line.path;
    }
    net::tell_of_refusal(*serving_->handler, request);
}

void HttpConnection::refuse(const Http1Refusal& refusal, std::string_view seen) {
    tell_of_refusal(refusal.status, refusal.code, seen);
    HttpResponse response =
        serving_->handler->failure(refusal.status, refusal.code, refusal.message);
    write_response(response, {.keep_alive = false});
    finish_output(true);
}

bool HttpConnection::turn_away(const RequestHead& head) {
    Admission& admission = entry_.table()->admission;
    const Duration waited = readiness_waited();
    // Not the turn's time: many requests of a long turn are judged at its beginning by that.
    const Instant at = ready_since() + waited;
    const Admission::Verdict verdict = admission.judge(at, waited);
    if (verdict == Admission::Verdict::admitted) return false;
    if (serving_->handler->reserved(head, verdict)) return false;
    emit(request_refused, {{"waited", waited}}, {{"why", to_string(verdict)}});
    return true;
}

HttpConnection::Step HttpConnection::refuse_busy(std::string_view code, std::string_view message) {
    const RequestHead& head = incoming_->request.head;
    HttpResponse response = serving_->handler->failure(503, code, message);
    if (!response.headers.contains("retry-after")) response.headers.add("retry-after", "1");
    if (served_ < UINT16_MAX) ++served_;
    Answering answering{.head_request = head.method == Method::head,
                        .keep_alive = head.keep_alive && !head.has_body() && !entry_.draining() &&
                                      served_ != options().max_requests,
                        .minor_version = head.minor_version};
    write_response(response, answering);
    if (!answering.keep_alive) {
        finish_output(true);
        return Step::refused;
    }
    set_phase(Phase::answering);
    incoming_->refused = true;
    return Step::need_more;
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

void HttpConnection::end() {
    if (std::exchange(ended_, true)) return;
    stream_.close();
    exit_self();
}

}  // namespace bennu::net
