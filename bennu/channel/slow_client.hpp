#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bennu/channel/outbox.hpp"

namespace bennu::phoenix {

/// A message for one client that does not get it now. A push has its own frame.
struct HeldMessage {
    Broadcast message;
    std::string frame;
};

/// What a socket keeps for its client only while that one is slow.
class SlowClient {
  public:
    explicit SlowClient(const OutboxOptions& options) : options_(options) {}

    /// Under `coalesce`: false when more waits than may.
    bool hold(HeldMessage held);
    /// In the order of what is kept; nothing is, afterwards.
    std::list<HeldMessage> take();

    /// Under `resync`: the topics that lost a message. `asked`: its position is being fetched.
    struct Lost {
        Topic topic;
        bool asked = false;
    };
    void drop(const Topic& topic);
    Lost* lost(std::string_view topic);
    std::vector<Lost>& all_lost() { return lost_; }

    /// The client left the topic: it is owed nothing.
    void forget(std::string_view topic);
    bool done() const { return held_.empty() && lost_.empty(); }
    std::size_t bytes() const { return bytes_; }

  private:
    static std::size_t cost(const HeldMessage& held);

    const OutboxOptions& options_;
    std::list<HeldMessage> held_;
    std::unordered_map<std::string, std::list<HeldMessage>::iterator> by_key_;
    std::size_t bytes_ = 0;
    std::vector<Lost> lost_;
};

}  // namespace bennu::phoenix
