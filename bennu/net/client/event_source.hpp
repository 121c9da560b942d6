#pragma once

#include "bennu/net/client/http_client.hpp"
#include "bennu/net/client/sse_parser.hpp"

namespace bennu::net {

struct EventSourceOptions {
    /// Headers, query and so on of each connection. Its `idle_timeout` is how long the server may
    /// be silent, heartbeats included, before the connection is made anew.
    RequestOptions request = {.idle_timeout = std::chrono::seconds(60)};
    /// Goes on behind this event of an earlier time.
    std::string last_event_id = {};
    /// Before the next connection, until the server says otherwise; doubled for each further one
    /// that brought nothing. Half of it, and a random part of the other half, is waited.
    Duration retry = std::chrono::seconds(3);
    Duration longest_pause = std::chrono::seconds(60);
    /// So many connections in a row that fail or bring nothing are too many.
    int attempts = 10;
    /// Bytes of one event.
    std::size_t most = 1 << 20;
};

/// Reads server-sent events, and connects again when the stream ends or breaks, with the id of the
/// last event: as far as the server knows its ids, nothing is lost and nothing comes twice.
///
///     EventSource news(api, "/events");
///     while (auto event = co_await require(news.next())) handle(event->data);
///
/// Belongs to one process and outlives its tasks; its end closes the connection.
class EventSource {
  public:
    EventSource(HttpClient client, std::string url, EventSourceOptions options = {});

    /// The next event; nothing once the server has said that there will be no more (204). Errors:
    /// what the last of `attempts` connections failed with; `unsupported`, `sse_refused`, at once
    /// for an answer that is neither events nor a trouble that passes (408, 429, 5xx); `too_large`.
    /// Cut by the time that the caller has left.
    Task<Result<std::optional<ReceivedEvent>>> next();
    std::string_view last_event_id() const { return parser_.last_id(); }

  private:
    Task<Result<bool>> connect();
    Task<> pause();

    HttpClient client_;
    std::string url_;
    EventSourceOptions options_;
    SseParser parser_;
    ClientBody body_;
    int failed_ = 0;
    bool connected_before_ = false, ended_ = false;
};

}  // namespace bennu::net
