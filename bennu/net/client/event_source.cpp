#include "bennu/net/client/event_source.hpp"

#include "bennu/base/ascii.hpp"
#include "bennu/runtime/answer.hpp"

namespace bennu::net {

namespace {

bool passes(int status) {
    return status == 408 || status == 429 || status >= 500;
}

bool has_events(const ClientResponse& answer) {
    std::string_view type = answer.headers.get("content-type");
    return answer.status == 200 &&
           iequals(trim(type.substr(0, type.find(';'))), "text/event-stream");
}

}  // namespace

EventSource::EventSource(HttpClient client, std::string url, EventSourceOptions options)
    : client_(std::move(client)),
      url_(std::move(url)),
      options_(std::move(options)),
      parser_(options_.most, options_.last_event_id) {}

Task<> EventSource::pause() {
    Duration pause = parser_.retry().value_or(options_.retry);
    for (int i = 1; i < failed_ && pause < options_.longest_pause; ++i) pause *= 2;
    pause = std::min(pause, options_.longest_pause);
    pause = pause / 2 + Duration(random().between(0, (pause / 2).count()));
    co_await sleep(std::min(pause, time_left()));
}

/// False when the server has no more events.
Task<Result<bool>> EventSource::connect() {
    RequestOptions request = options_.request;
    request.headers.emplace_back("accept", "text/event-stream");
    request.headers.emplace_back("cache-control", "no-store");
    if (!parser_.last_id().empty())
        request.headers.emplace_back("last-event-id", std::string(parser_.last_id()));
    ClientResponse answer = co_await require(client_.stream(Method::get, url_, std::move(request)));
    if (answer.status == 204) co_return false;
    if (has_events(answer)) {
        parser_.restart();
        body_ = std::move(answer.stream);
        co_return true;
    }
    const std::string status = std::to_string(answer.status);
    if (passes(answer.status))
        co_return Error(ErrorKind::unavailable, "http_" + status, "the server answered " + status);
    co_return Error(ErrorKind::unsupported, "sse_refused",
                    "the server answered " + status + ", which is no stream of events");
}

Task<Result<std::optional<ReceivedEvent>>> EventSource::next() {
    while (!ended_) {
        if (std::optional<ReceivedEvent> event = parser_.take()) {
            failed_ = 0;
            co_return event;
        }
        if (time_left() <= Duration::zero())
            co_return Error(ErrorKind::timeout, "timeout", "the time is up");
        if (!body_) {
            if (std::exchange(connected_before_, true)) co_await pause();
            Result<bool> connected = co_await connect();
            ended_ = connected && !*connected;
            if (!connected && (connected.error().code() == "sse_refused" ||
                               connected.error().kind() == ErrorKind::invalid ||
                               connected.error().kind() == ErrorKind::forbidden ||
                               ++failed_ >= options_.attempts))
                co_return std::move(connected).error();
            continue;
        }
        Result<std::optional<std::string>> piece = co_await body_.next();
        if (piece && *piece) {
            co_await require(parser_.feed(**piece));
            continue;
        }
        body_ = {};
        if (++failed_ < options_.attempts) continue;
        if (!piece) co_return std::move(piece).error();
        co_return Error(ErrorKind::unavailable, "sse_ended", "the server sends no events");
    }
    co_return std::optional<ReceivedEvent>();
}

}  // namespace bennu::net
