#pragma once

#include <functional>
#include <string_view>

#include "bennu/channel/outbox.hpp"
#include "bennu/pubsub/topic.hpp"
#include "bennu/web/event_stream.hpp"

namespace bennu {

class RouteScope;

/// Which topics others may follow with server-sent events, and how.
struct TopicStreamOptions {
    /// The topic that this request may follow; an Error refuses it with the status of its kind.
    Function<Task<Result<Topic>>(Conn) const> authorize;
    /// Which of the topic's broadcasts are shown. Unset: all. Bytes never are.
    std::function<bool(const Broadcast&)> shows = {};
    /// Of a reader that takes them more slowly than they come: `slow_bytes` and `max_bytes` count
    /// what waits beside what the connection has.
    OutboxOptions outbox = {};
    /// Streams at once, on all shards together; more are answered 503. 0: any number.
    std::uint32_t max_streams = 10'000;
    EventStreamOptions events = {};
};

/// `GET pattern` answers with the broadcasts of a topic as server-sent events: `event` is the
/// broadcast's event, `data` its payload as JSON. On a durable topic `id` is the position behind
/// it, and whoever connects again with that as its `Last-Event-ID` (browsers do) first gets what it
/// missed, or an event `resync` with the position where it begins. One that comes without gets an
/// event `position` instead. A stream ends with its reader; it is stopped with the server.
///
///     mount_topic_stream(*router, "/events/:asset",
///                        {.authorize = [](Conn conn) -> Task<Result<Topic>> {
///                            if (!may_see(conn)) co_return Error(ErrorKind::forbidden,
///                            "forbidden"); co_return Topic("assets:" +
///                            std::string(conn.param("asset")));
///                        }});
void mount_topic_stream(RouteScope& scope, std::string_view pattern, TopicStreamOptions options);

}  // namespace bennu
