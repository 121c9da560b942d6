#include "bennu/net/http2_connection.hpp"

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/net/http_connection.hpp"
#include "bennu/net/refused_request.hpp"
#include "bennu/runtime/ready_queue.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

using Tunnel = Http2Exchange::Tunnel;

namespace {

constinit EventName request_refused{"net.request.refused"};
constinit EventName connection_ended{"net.http2.ended"};

/// How much encrypted or plain output may wait for the client; the rest waits in the streams.
constexpr std::size_t most_pending = 64 * 1024;
/// Sent of one connection before others get their turn.
constexpr std::size_t sent_per_turn = 512 * 1024;
/// Between two looks at streams that wait for their client.
constexpr Duration look_interval = 1s;
/// For a client that has to end its side after ours.
constexpr Duration longest_linger = 2s;

}  // namespace

Http2Connection::Http2Connection(Start start)
    : stream_(std::move(start.stream)),
      serving_(start.serving),
      entry_(
          std::move(start.table), [](Pid pid) { cast(Ref<Http2Connection>(pid), Expired{}); },
          start.seat),
      input_(std::move(start.input)),
      peer_(std::move(start.peer)),
      session_(serving_->options.http2, serving_->options.limits, *this) {}

Http2Connection::~Http2Connection() {
    for (auto& [id, exchange] : exchanges_) {
        exchange->connection = nullptr;
        exchange->announce();
    }
}

Ref<Http2Connection> start_http2(Http2Connection::Start start) {
    const Instant since = start.since;
    auto ref = spawn<Http2Connection>(std::move(start));
    cast(ref, Http2Connection::Begin{since});
    return ref;
}

void Http2Connection::handle(Begin begin) {
    const ReadySince since(begin.since);
    self_ = self();
    entry_.set_connection(self_);
    active_ = moved_ = now();
    if (peer_.host.empty()) peer_ = reactor().peer_address(stream_.socket());
    renew_deadline();
    if (!stream_.watch()) {
        leave();
        return;
    }
    if (!input_.empty()) receive(std::exchange(input_, {}));
    if (stream_.readable()) {
        go_on();
    } else {
        send_some();
        attend();
    }
}

void Http2Connection::handle_io(std::uint8_t, Readiness ready) {
    if (phase_ == Phase::orphaned) return;
    stream_.note(ready);
    go_on();
}

void Http2Connection::go_on() {
    const TcpStream::Turn turn = stream_.read_turn([this](std::span<char> bytes) {
        if (phase_ == Phase::serving) receive({bytes.data(), bytes.size()});
        return true;
    });
    if (turn == TcpStream::Turn::closed) {
        leave();
        return;
    }
    send_some();
    attend();
}

void Http2Connection::handle(Attend) {
    attention_due_ = false;
    if (phase_ != Phase::orphaned) go_on();
}

void Http2Connection::receive(std::string_view bytes) {
    const bool going = session_.receive(bytes, now());
    if (!undecided_.empty() && going) begin_deferred();
    if (going || phase_ != Phase::serving) return;
    log_info("an HTTP/2 client is disconnected", {{"peer", peer_.to_string()}});
    emit(connection_ended, {}, {{"why", "misbehaviour"}});
    linger();
}

void Http2Connection::send_some() {
    sending_due_ = more_to_send_ = false;
    if (lost_ || phase_ == Phase::orphaned) return;
    const std::size_t before = stream_.pending();
    std::size_t sent = 0;
    while (true) {
        while (stream_.pending() < most_pending) {
            std::string_view bytes = session_.pull(now());
            if (bytes.empty()) break;
            stream_.write(bytes);
            sent += bytes.size();
        }
        const std::size_t queued = stream_.pending();
        if (!stream_.flush()) {
            lost_ = true;
            return;
        }
        if (stream_.pending() < before || stream_.pending() == 0) moved_ = now();
        if (stream_.pending() > 0 || queued < most_pending) return;
        if (sent >= sent_per_turn) {
            more_to_send_ = true;
            return;
        }
    }
}

void Http2Connection::send_soon() {
    if (phase_ == Phase::orphaned || std::exchange(sending_due_, true)) return;
    at_turn_end([ref = Ref<Http2Connection>(self_)] {
        Http2Connection* connection = local_body(ref);
        if (!connection || !connection->sending_due_) return;
        connection->send_some();
        // Ending is the business of its own process.
        const bool unwatched = !connection->quiet() && !connection->watched_closely_;
        const bool attention = connection->lost_ || connection->more_to_send_ || unwatched ||
                               connection->session_.over() || connection->idle();
        if (attention && !std::exchange(connection->attention_due_, true)) cast(ref, Attend{});
    });
}

void Http2Connection::attend() {
    if (phase_ == Phase::orphaned) return;
    if (lost_) {
        leave();
        return;
    }
    if (more_to_send_ || stream_.readable()) stream_.go_on_next_turn();
    if (phase_ == Phase::serving && session_.over()) linger();
    if (phase_ == Phase::lingering) {
        if (stream_.pending() == 0) stream_.shutdown_write();
    }
    renew_deadline();
}

void Http2Connection::renew_deadline() {
    if (phase_ != Phase::serving) return;
    const HttpServerOptions& options = serving_->options;
    if (!quiet()) {
        if (!std::exchange(watched_closely_, true)) entry_.set_deadline(now() + look_interval);
        return;
    }
    watched_closely_ = false;
    if (websockets_ > 0) {
        entry_.clear_deadline();
        return;
    }
    entry_.set_deadline(active_ + (session_.begun() ? options.idle_timeout : options.head_timeout));
}

void Http2Connection::handle(Expired) {
    // The message may have waited behind a request that came in the meantime.
    if (!entry_.expired() || phase_ == Phase::orphaned) return;
    watched_closely_ = false;
    if (phase_ == Phase::lingering) {
        leave();
        return;
    }
    if (stream_.pending() > 0 && now() - moved_ >= serving_->options.send_timeout) {
        log_info("a client that does not read its answer is disconnected",
                 {{"peer", peer_.to_string()}, {"unsent", stream_.pending()}});
        leave();
        return;
    }
    if (idle() && stream_.pending() == 0) {
        session_.terminate(Http2Code::no_error);
    } else {
        look_after_streams();
    }
    send_some();
    attend();
}

void Http2Connection::look_after_streams() {
    const HttpServerOptions& options = serving_->options;
    std::vector<ExchangePtr> late;
    for (const auto& [id, exchange] : exchanges_) {
        if (!exchange->gathering() || exchange->withheld > 0) continue;
        Pace pace;
        pace.moved(exchange->body.size());
        pace.waited(exchange->body_moved - exchange->body_started);
        const Duration patience =
            pace.patience({options.body_timeout, options.body_rate_grace, options.min_body_rate});
        if (now() >= exchange->body_moved + patience) late.push_back(exchange);
    }
    for (const ExchangePtr& exchange : late) {
        if (exchange->deferred) {
            exchange->fail(ErrorKind::timeout, "request_timeout",
                           "the body took too long to arrive");
        } else {
            give_up(exchange, 408, "request_timeout", "the request took too long to arrive");
        }
    }
    std::vector<Http2StreamId> unended;
    for (const auto& [id, exchange] : exchanges_) {
        const bool over = exchange->tunnel == Tunnel::ended && session_.unsent(id) == 0;
        if (over && now() >= exchange->body_moved + longest_linger) unended.push_back(id);
    }
    for (Http2StreamId id : unended) session_.reset(id, Http2Code::no_error);
    for (Http2StreamId id : session_.stalled(now(), options.send_timeout)) {
        auto found = exchanges_.find(id);
        if (found != exchanges_.end() && found->second->tunnel == Tunnel::open) continue;
        log_info("an answer that its client does not read is given up",
                 {{"peer", peer_.to_string()}, {"unsent", session_.unsent(id)}});
        session_.reset(id, Http2Code::cancel);
    }
}

void Http2Connection::request(Http2StreamId id, RequestHead head) {
    active_ = now();
    if (served_ < UINT16_MAX) ++served_;
    if (served_ == serving_->options.max_requests && !std::exchange(refusing_, true))
        session_.refuse_new_streams();
    const bool head_request = head.method == Method::head;
    // Handlers of streams that were reset count: whoever gives up early must not get more of us.
    if (running_ >= finished_ + 2 * serving_->options.http2.streams) {
        session_.reset(id, Http2Code::refused_stream);
        return;
    }
    if (turn_away(head)) {
        refuse(id, head_request, 503, "overloaded", "there is too much to do right now");
        return;
    }
    auto exchange = std::make_shared<Http2Exchange>();
    exchange->id = id;
    exchange->connection = this;
    exchange->peer = peer_;
    exchange->received = now();
    if (const TlsSession* tls = stream_.tls()) {
        exchange->secure = true;
        exchange->client_certificate = tls->peer_certificate();
    }
    exchange->head_request = head_request;
    exchange->tunnel = head.websocket_stream ? Tunnel::wanted : Tunnel::none;
    exchange->body_ended = !head.has_body() && !head.websocket_stream;
    if (head.has_body()) {
        const BodyPlan plan = serving_->handler->body_plan(head);
        if (plan.delivery == BodyPlan::Delivery::refused) {
            tell_of_refusal(503, "busy", head, now());
            refuse(id, head_request, 503, "busy", "too many requests of this kind are under way");
            return;
        }
        if (head.content_length.value_or(0) > plan.limit) {
            tell_of_refusal(413, "body_too_large", head, now());
            refuse(id, head_request, 413, "body_too_large", "the body is too large");
            return;
        }
        exchange->body_limit = plan.limit;
        exchange->streamed = plan.delivery == BodyPlan::Delivery::streamed;
        exchange->deferred = plan.delivery == BodyPlan::Delivery::deferred;
        exchange->body_started = exchange->body_moved = now();
        const bool read_on_demand = exchange->streamed || exchange->deferred;
        exchange->expects_continue = read_on_demand && head.expect_continue;
        if (!read_on_demand && head.expect_continue) session_.send_continue(id);
        if (exchange->deferred) undecided_.push_back(id);
    }
    exchange->head = std::move(head);
    exchanges_.emplace(id, exchange);
    if (exchange->body_ended || exchange->streamed || exchange->tunnel != Tunnel::none)
        begin_answer(exchange);
}

void Http2Connection::refused(const Refused& refused) {
    active_ = now();
    const Http1Refusal& why = refused.refusal;
    net::tell_of_refusal(*serving_->handler, {.status = why.status,
                                              .code = why.code,
                                              .method = refused.method,
                                              .path = refused.path,
                                              .peer = peer_,
                                              .received = now()});
    const bool head_request = refused.method == to_string(Method::head);
    refuse(refused.stream, head_request, why.status, why.code, why.message);
}

void Http2Connection::tell_of_refusal(int status, std::string_view code, const RequestHead& head,
                                      Instant received) {
    net::tell_of_refusal(*serving_->handler, {.status = status,
                                              .code = code,
                                              .method = head.method_text(),
                                              .path = head.path(),
                                              .peer = peer_,
                                              .received = received});
}

bool Http2Connection::turn_away(const RequestHead& head) {
    const Duration waited = readiness_waited();
    // Not the turn's time: many requests of a long turn are judged at its beginning by that.
    const Instant at = ready_since() + waited;
    const Admission::Verdict verdict = entry_.table()->admission.judge(at, waited);
    if (verdict == Admission::Verdict::admitted) return false;
    if (serving_->handler->reserved(head, verdict)) return false;
    emit(request_refused, {{"waited", waited}}, {{"why", to_string(verdict)}});
    return true;
}

void Http2Connection::begin_answer(const ExchangePtr& exchange) {
    const HttpServerOptions& options = serving_->options;
    if (!exchange->deferred) uncount(*exchange);
    auto stream = spawn_with<Http2Stream>(
        SpawnOptions{.name = {}, .link = true}, exchange, serving_->handler,
        PaceLimits{options.body_timeout, options.body_rate_grace, options.min_body_rate});
    exchange->process = stream.pid();
    ++running_;
    cast(stream, Http2Stream::Begin{});
    let_in();
}

void Http2Connection::closed(Http2StreamId id) {
    active_ = now();
    auto found = exchanges_.find(id);
    if (found == exchanges_.end()) return;
    const ExchangePtr exchange = std::move(found->second);
    exchanges_.erase(found);
    uncount(*exchange);
    if (exchange->tunnel == Tunnel::open) --websockets_;
    exchange->detach();
    let_in();
}

void Http2Connection::handle(Exit exit) {
    --running_;
    if (finished_ > 0) --finished_;
    if (phase_ == Phase::orphaned) {
        if (running_ == 0) exit_self();
        return;
    }
    active_ = now();
    if (exit.reason.kind() != ExitReason::Kind::normal) {
        for (const auto& [id, exchange] : exchanges_) {
            if (exchange->process != exit.pid || exchange->answered) continue;
            session_.reset(id, Http2Code::internal_error);
            send_soon();
            break;
        }
    }
    if (idle()) renew_deadline();
}

Task<> Http2Connection::terminate(ExitReason) {
    if (phase_ == Phase::serving) session_.terminate(Http2Code::no_error);
    send_some();
    running_ = finished_ = 0;
    leave();
    co_return;
}

void Http2Connection::linger() {
    // Read on for a moment: closing with unread input would reset the connection and could take the
    // answer away from the client.
    phase_ = Phase::lingering;
    entry_.set_deadline(now() + longest_linger);
    detach_all();
}

void Http2Connection::leave() {
    if (std::exchange(phase_, Phase::orphaned) == Phase::orphaned) return;
    entry_.clear_deadline();
    detach_all();
    stream_.close();
    if (running_ == 0) exit_self();
}

void Http2Connection::detach_all() {
    for (auto& [id, exchange] : std::exchange(exchanges_, {})) exchange->detach();
    gathered_ = 0;
    websockets_ = 0;
}

}  // namespace bennu::net
