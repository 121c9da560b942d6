#pragma once

#include <deque>

#include "bennu/pubsub/durable.hpp"

namespace bennu::pubsub::detail {

/// The last messages of one durable topic, as one node saw them: plain data.
///
/// Everything since `heard` of an epoch has arrived here, so a position that names a later sequence
/// proves that this log was there when its owner was served last, on whichever node: whatever came
/// since is known here. The node's own epoch is in every position that it gives away, with 0 if
/// need be, as a proof of the same kind.
class TopicLog {
  public:
    explicit TopicLog(DurableOptions options);

    /// The mark of the next message of this node.
    Mark next() const;
    void append(const Broadcast& own, Instant at);

    enum class Arrival : std::uint8_t {
        next,   ///< deliver it
        known,  ///< it, or a later one, was here already: drop it
        gap,    ///< tell subscribers `position_before`, then deliver it
    };
    Arrival arrive(const Broadcast& message, Instant at);
    /// Another node says how far it is; true: something of it did not arrive.
    bool hear(const Mark& mark, Instant at);
    /// Messages of any other node may be missing: nothing is sure but what this node published.
    void lose();

    Position position() const;
    /// Where those stand who got everything before this message.
    Position position_before(const Mark& mark) const;
    Resumption resume(const std::optional<Position>& seen, Instant at);

    /// Lets go of what is too old.
    void trim(Instant at);
    std::size_t size() const { return entries_.size(); }
    std::size_t bytes() const { return bytes_; }
    const DurableOptions& options() const { return options_; }

    /// How far this node is, for others, whom the last messages may not have reached. Empty when it
    /// is not the time: ever more rarely after `announce`.
    std::vector<Mark> announcements(Instant at);
    void announce(Instant first);
    bool has_announced() const { return announce_at_ == Instant::max(); }

    Instant used;  ///< the last message, or the last time somebody asked or listened

    static constexpr Duration first_announcement = std::chrono::seconds(2);
    static constexpr Duration last_announcement = std::chrono::seconds(128);
    static constexpr std::size_t max_epochs = 64;

  private:
    struct Epoch {
        std::string name;
        std::uint64_t heard = 1;  ///< from here on nothing is missing
        std::uint64_t first = 1;  ///< from here on everything is kept
        std::uint64_t last = 0;
        Instant at;
        bool lapsed = false;  ///< only remembered to know its old messages again
    };
    struct Entry {
        Broadcast message;
        Instant at;
    };
    Epoch* find(std::string_view name);
    const Epoch* find(std::string_view name) const;
    Epoch& add(std::string name, Instant at);
    /// Begins an epoch of this node that no position has yet.
    void renew();
    bool has_all_since(const Position& seen) const;
    void keep(const Broadcast& message, Instant at);
    void drop_front();

    DurableOptions options_;
    std::vector<Epoch> epochs_;
    std::string own_;
    std::deque<Entry> entries_;
    std::size_t bytes_ = 0;
    std::vector<Mark> ended_;  ///< epochs of this node, and how far they came
    Instant announce_at_ = Instant::max();
    Duration announce_after_ = first_announcement;
    bool unsure_ = false;  ///< there were epochs that are not in positions any more
};

}  // namespace bennu::pubsub::detail
