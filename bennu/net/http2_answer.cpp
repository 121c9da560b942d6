#include "bennu/net/http2_connection.hpp"
#include "bennu/net/http_connection.hpp"
#include "bennu/net/http_date.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

/// How much of an answer that is made piece by piece may wait for the client.
constexpr std::size_t outbox_limit = 64 * 1024;

}  // namespace

bool Http2Connection::respond(Http2Exchange& exchange, HttpResponse& response) {
    exchange.answer_begun = true;
    const bool bodiless = exchange.head_request || response.status == 204 || response.status == 304;
    session_.respond(exchange.id, response.status, response.headers,
                     {.length = response.body_size(),
                      .date = shard_local<HttpDate>().at(wall_now()),
                      .body = bodiless ? Http2Session::Answer::Body::none
                                       : Http2Session::Answer::Body::follows});
    if (response.close && !std::exchange(refusing_, true)) session_.refuse_new_streams();
    send_soon();
    if (bodiless) return false;
    if (auto* text = std::get_if<std::string>(&response.body)) {
        session_.write(exchange.id, std::move(*text));
    } else if (auto* shared = std::get_if<Shared<std::string>>(&response.body)) {
        session_.write(exchange.id, std::move(*shared));
    } else if (auto* file = std::get_if<FileBody>(&response.body); file && file->text) {
        if (file->length == file->text->size()) {
            session_.write(exchange.id, std::move(file->text));
        } else {
            session_.write(exchange.id, std::string(file->view()));
        }
    } else {
        return true;
    }
    session_.end(exchange.id);
    return false;
}

void Http2Connection::refuse(Http2StreamId id, bool head_request, int status, std::string_view code,
                             std::string_view message) {
    Http2Exchange exchange;
    exchange.id = id;
    exchange.head_request = head_request;
    HttpResponse response = serving_->handler->failure(status, code, message);
    if (status == 503 && !response.headers.contains("retry-after"))
        response.headers.add("retry-after", "1");
    // The connection goes on: nothing of its framing was lost.
    response.close = false;
    (void)respond(exchange, response);
}

void Http2Connection::write(Http2Exchange& exchange, std::string text) {
    session_.write(exchange.id, std::move(text));
    send_soon();
}

void Http2Connection::finish(Http2Exchange& exchange, const Headers* trailers) {
    exchange.answered = true;
    session_.end(exchange.id, trailers);
    send_soon();
}

void Http2Connection::reset(Http2Exchange& exchange, Http2Code code) {
    session_.reset(exchange.id, code);
    send_soon();
}

void Http2Connection::send_continue(Http2Exchange& exchange) {
    session_.send_continue(exchange.id);
    send_soon();
}

bool Http2Connection::sends_interim() const {
    return serving_->options.interim_responses;
}

void Http2Connection::inform(Http2Exchange& exchange, int status, const Headers& headers) {
    session_.inform(exchange.id, status, headers);
    // Now, and not when the handler has computed its answer. What may come of it is seen to later.
    send_some();
    send_soon();
}

void Http2Connection::consumed(Http2Exchange& exchange, std::size_t bytes) {
    session_.consumed(exchange.id, bytes);
    send_soon();
}

bool Http2Connection::has_room(const Http2Exchange& exchange) const {
    return session_.unsent(exchange.id) < outbox_limit;
}

void Http2Connection::sent(Http2StreamId id) {
    auto found = exchanges_.find(id);
    if (found == exchanges_.end()) return;
    Http2Exchange& exchange = *found->second;
    const std::size_t unsent = session_.unsent(id);
    if (unsent < outbox_limit) exchange.writers.notify();
    if (unsent == 0 && std::exchange(exchange.tell_when_sent, false)) exchange.announce();
}

void Http2Connection::wind_up() {
    if (phase_ != Phase::serving) return;
    for (auto& [id, exchange] : exchanges_) exchange->enders.notify();
    if (!std::exchange(announced_, true) && !refusing_) {
        session_.announce_end();
        send_soon();
    }
}

void Http2Connection::settle(Duration draining) {
    if (phase_ != Phase::serving || refusing_) return;
    if (draining < (served_ > 0 ? Duration(250ms) : Duration(1s))) {
        wind_up();
        return;
    }
    refusing_ = true;
    session_.refuse_new_streams();
    send_soon();
}

}  // namespace bennu::net
