#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/base/time.hpp"

namespace bennu::net {

/// A server-sent event, as it was received.
struct ReceivedEvent {
    std::string event = {};  ///< `message` unless the server named it
    std::string data = {};   ///< lines are separated by \n
    /// The last id that the server gave, in this event or before.
    std::string id = {};

    bool operator==(const ReceivedEvent&) const = default;
};

/// Reads a stream of server-sent events (WHATWG HTML, 9.2.6), whatever pieces it comes in.
class SseParser {
  public:
    /// `most` bounds an event, and a line. `id` is the last one of a connection before.
    explicit SseParser(std::size_t most, std::string id = {}) : most_(most), id_(std::move(id)) {}

    /// Error, which stays: `too_large`, `event_too_large`.
    Result<> feed(std::string_view bytes);
    /// Another connection begins: what is unfinished is dropped; the id and `retry` stay.
    void restart();
    /// The next event that is complete.
    std::optional<ReceivedEvent> take();

    /// What goes into `Last-Event-ID`; it is the id of the last complete event.
    std::string_view last_id() const { return id_; }
    /// How long the server asked to wait before the next connection.
    std::optional<Duration> retry() const { return retry_; }

  private:
    void line();
    void field(std::string_view name, std::string_view value);
    void dispatch();

    std::size_t most_;
    std::string id_, next_id_ = id_;
    std::optional<Duration> retry_;
    std::string line_, data_, event_;
    bool first_ = true, after_cr_ = false, failed_ = false;
    std::deque<ReceivedEvent> events_;
};

}  // namespace bennu::net
