#include "bennu/channel/topic_stream.hpp"

#include "bennu/base/log.hpp"
#include "bennu/channel/topic_follower.hpp"
#include "bennu/web/router.hpp"

namespace bennu {

namespace {

using phoenix::TopicFollower;
using phoenix::TopicQueue;

/// What a reader got last, as it was told: a position as JSON. What is none is one of which nothing
/// is known.
std::optional<pubsub::Position> position_of(std::string_view last_event_id) {
    if (last_event_id.empty()) return std::nullopt;
    Result<Json> json = parse_json(last_event_id);
    if (!json) return pubsub::Position();
    return pubsub::read_position(*json).value_or(pubsub::Position());
}

/// Ends the follower with the stream, however that ends.
struct Ending {
    explicit Ending(Pid follower) : pid(follower) {}
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    ~Ending() { stop(pid); }
    Pid pid;
};

/// `conn` is held so that the stream counts as a request under way.
Task<Result<>> follow(EventWriter out, Conn conn, Topic topic,
                      std::shared_ptr<const TopicStreamOptions> options) {
    auto queue = std::make_shared<TopicQueue>(options);
    Ref<TopicFollower> follower =
        spawn<TopicFollower>(topic, position_of(out.last_event_id()), queue);
    Ending ending(follower.pid());
    cast(follower, TopicFollower::Begin{});
    while (!queue->over()) {
        if (std::optional<ServerEvent> event = queue->next()) {
            co_await require(out.send(*std::move(event)));
        } else {
            // It has read everything: what is to be said to one that was slow is said now.
            if (queue->owes()) cast(follower, TopicFollower::Drained{});
            co_await queue->news.wait();
        }
    }
    log_warning("a slow reader of a topic is disconnected", {{"topic", topic.view()}});
    co_return Error(ErrorKind::closed, "slow_reader", "the reader does not read");
}

}  // namespace

void mount_topic_stream(RouteScope& scope, std::string_view pattern, TopicStreamOptions options) {
    auto shared = std::make_shared<const TopicStreamOptions>(std::move(options));
    scope.get(pattern,
              [shared](Conn conn) -> Task<Response> {
                  Result<Topic> topic = co_await shared->authorize(conn);
                  if (!topic) co_return error(conn, topic.error());
                  co_return sse(
                      conn,
                      [conn, shared, topic = pubsub::intern(*topic)] [[clang::coro_wrapper]] (
                          EventWriter out) { return follow(std::move(out), conn, topic, shared); },
                      shared->events);
              },
              {.max_concurrent = shared->max_streams});
}

}  // namespace bennu
