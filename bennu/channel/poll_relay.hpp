#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "bennu/channel/longpoll_transport.hpp"
#include "bennu/channel/poll_token.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace bennu::phoenix {

/// What a request wants of a session: its messages, or that it takes frames.
struct PollRequest {
    Pid session;
    bool post = false;
    std::vector<PollFrame> frames = {};
};

/// Asks a session of this node; errors as those of `try_call`.
Task<Result<PollAnswer>> ask_session(PollRequest request, Duration window);

/// Takes requests to the node that has their session, over pub/sub, and the answers back: the first
/// request for a node by all of them, what follows straight there. One process per socket and node.
class PollRelay : public Server {
  public:
    /// Without a sign of the other node for so long, the session counts as gone.
    static constexpr Duration patience = std::chrono::seconds(1);

    PollRelay(PollNode node, Duration window);
    /// The one of this node, started when there is none.
    static Task<Result<Ref<PollRelay>>> get(PollNode node, Duration window);

    /// Error `closed`: no such session, or its node is gone.
    struct Ask {
        using Reply = PollAnswer;
        PollNode node;
        PollRequest request;
    };
    struct GiveUp {
        std::int64_t id;
        bool acknowledged;
    };

    Task<Result<>> init();
    void handle(Ask message, From<PollAnswer> from);
    void handle(Broadcast message);
    void handle(GiveUp message);

  private:
    struct Waiting {
        From<PollAnswer> from;
        PollNode node{};
        bool acknowledged = false;
    };
    void acknowledge(std::int64_t id, Waiting& waiting, std::uint64_t address);
    void serve(const Json& request);

    PollNode node_;
    Duration window_;
    pubsub::Subscription subscription_;
    std::unordered_map<std::int64_t, Waiting> waiting_;
    std::map<PollNode, std::uint64_t> addresses_;  ///< where nodes that answered are reached
    std::int64_t last_id_ = 0;
};

}  // namespace bennu::phoenix
