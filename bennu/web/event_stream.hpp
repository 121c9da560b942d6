#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/function.hpp"
#include "bennu/web/conn.hpp"

namespace bennu {

/// A body that is made while it is sent (see net::BodyProducer):
///
///     return stream(conn, 200, "text/csv", [rows](net::BodyWriter out) -> Task<Result<>> {
///         for (const Row& row : *rows) co_await require(out.write(to_line(row)));
///         co_return {};
///     });
Response stream(const Conn& conn, int status, std::string_view content_type,
                net::BodyProducer::Run run);

/// One server-sent event. `id` and `event` are one line each; `data` may have several.
struct ServerEvent {
    std::string data = {};
    std::string event = {};  ///< empty: `message`
    std::string id = {};     ///< the browser sends the last one when it connects again
    std::optional<Duration> retry = {};
};

/// The event as bytes. An id or event with a line break or NUL is a fault.
std::string format_event(const ServerEvent& event);

/// Sends events to one client. Copies write to the same response.
class EventWriter {
  public:
    EventWriter(net::BodyWriter out, std::string last_event_id)
        : out_(std::move(out)), last_event_id_(std::move(last_event_id)) {}

    /// Waits while the client does not read; errors as of net::BodyWriter.
    Task<Result<>> send(ServerEvent event) const;
    /// The `Last-Event-ID` of a client that connects again; empty for a new one. Begin behind it.
    std::string_view last_event_id() const { return last_event_id_; }

  private:
    net::BodyWriter out_;
    std::string last_event_id_;
};

struct EventStreamOptions {
    /// A comment goes out so often: proxies keep the connection, and a client that vanished without
    /// a word is noticed.
    Duration heartbeat = std::chrono::seconds(15);
    /// How long a browser waits before it connects again; its own default is a few seconds.
    std::optional<Duration> retry = {};
};

/// Answers with server-sent events. `run` is destroyed once the client is gone or the server stops
/// (the browser then connects again, with the id of the last event it got):
///
///     return sse(conn, [feed](EventWriter out) -> Task<Result<>> {
///         while (auto news = co_await feed->next()) co_await require(out.send({.data = *news}));
///         co_return {};
///     });
Response sse(const Conn& conn, Function<Task<Result<>>(EventWriter)> run,
             EventStreamOptions options = {});

}  // namespace bennu
