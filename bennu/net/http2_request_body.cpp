// How the bodies of requests come in over HTTP/2.
#include "bennu/net/http2_connection.hpp"
#include "bennu/net/http_connection.hpp"

namespace bennu::net {

using Tunnel = Http2Exchange::Tunnel;

void Http2Connection::begin_deferred() {
    for (Http2StreamId id : std::exchange(undecided_, {})) {
        auto found = exchanges_.find(id);
        if (found != exchanges_.end() && !found->second->process) begin_answer(found->second);
    }
}

void Http2Connection::uncount(Http2Exchange& exchange) {
    gathered_ -= std::exchange(exchange.counted, 0);
}

void Http2Connection::gather(Http2Exchange& exchange) {
    if (std::exchange(exchange.asked_for, true) || exchange.body_ended) return;
    exchange.body_started = exchange.body_moved = exchange.withheld_since = now();
    if (exchange.expects_continue && exchange.body.empty()) send_continue(exchange);
    if (exchange.withheld == 0) return;
    held_back_ = true;
    let_in();
}

std::string Http2Connection::take_body(Http2Exchange& exchange) {
    uncount(exchange);
    std::string text = std::exchange(exchange.body, {});
    let_in();
    return text;
}

void Http2Connection::body(Http2StreamId id, std::string_view bytes) {
    auto found = exchanges_.find(id);
    const ExchangePtr exchange = found == exchanges_.end() ? nullptr : found->second;
    if (exchange && exchange->socket_bound()) {
        exchange->inbox.append(bytes);
        exchange->announce();
        return;
    }
    if (!exchange || exchange->answered || exchange->tunnel != Tunnel::none) {
        session_.consumed(id, bytes.size());
        return;
    }
    exchange->body_bytes += bytes.size();
    const bool too_large = exchange->body_bytes > exchange->body_limit;
    if (exchange->streamed) {
        if (exchange->error) return;  // it stays, and nothing more is let in
        if (too_large) {
            exchange->error.emplace(ErrorKind::too_large, "body_too_large",
                                    "the body is too large");
        } else {
            exchange->inbox.append(bytes);
            exchange->pace.moved(bytes.size());
        }
        exchange->readers.notify();
        return;
    }
    if (exchange->error) return;
    if (too_large && exchange->process) {
        exchange->fail(ErrorKind::too_large, "body_too_large", "the body is too large");
        return;
    }
    if (too_large) {
        give_up(exchange, 413, "body_too_large", "the body is too large");
    } else {
        exchange->body.append(bytes);
        exchange->body_moved = now();
        exchange->counted += bytes.size();
        gathered_ += bytes.size();
        if (exchange->deferred && !exchange->asked_for) {
            exchange->withheld += bytes.size();
            return;
        }
        if (gathered_ > serving_->options.http2.gathered_bytes && exchange != oldest_gathering()) {
            if (exchange->withheld == 0) exchange->withheld_since = now();
            exchange->withheld += bytes.size();
            held_back_ = true;
            return;
        }
    }
    session_.consumed(id, bytes.size());
}

Http2Connection::ExchangePtr Http2Connection::oldest_gathering() const {
    ExchangePtr oldest;
    for (const auto& [id, exchange] : exchanges_) {
        if (exchange->gathering() && (!oldest || id < oldest->id)) oldest = exchange;
    }
    return oldest;
}

void Http2Connection::let_in() {
    if (!held_back_) return;
    std::vector<ExchangePtr> waiting;
    for (const auto& [id, exchange] : exchanges_) {
        if (exchange->withheld > 0 && exchange->gathering()) waiting.push_back(exchange);
    }
    held_back_ = !waiting.empty();
    std::ranges::sort(waiting, {}, &Http2Exchange::id);
    const ExchangePtr oldest = oldest_gathering();
    for (const ExchangePtr& exchange : waiting) {
        if (gathered_ > serving_->options.http2.gathered_bytes && exchange != oldest) break;
        // The client could not send meanwhile.
        exchange->body_started += now() - exchange->withheld_since;
        exchange->body_moved = now();
        session_.consumed(exchange->id, std::exchange(exchange->withheld, 0));
        send_soon();
    }
}

void Http2Connection::body_ended(Http2StreamId id, std::unique_ptr<Headers> trailers) {
    auto found = exchanges_.find(id);
    if (found == exchanges_.end() || std::exchange(found->second->body_ended, true)) return;
    const ExchangePtr exchange = found->second;
    exchange->trailers = std::move(trailers);
    if (exchange->tunnel != Tunnel::none) {
        exchange->announce();
        return;
    }
    if (exchange->streamed || exchange->process) {
        exchange->readers.notify();
    } else {
        exchange->deferred = false;  // all of it is there
        begin_answer(exchange);
    }
}

void Http2Connection::give_up(const ExchangePtr& exchange, int status, std::string_view code,
                              std::string_view message) {
    uncount(*exchange);
    tell_of_refusal(status, code, exchange->head, exchange->received);
    exchanges_.erase(exchange->id);
    refuse(exchange->id, exchange->head_request, status, code, message);
    let_in();
}

}  // namespace bennu::net
