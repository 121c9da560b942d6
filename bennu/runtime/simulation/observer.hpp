#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

#include "bennu/runtime/reactor/sim_network.hpp"
#include "bennu/runtime/shard_observer.hpp"
#include "bennu/runtime/simulation/trace.hpp"

namespace bennu::detail {

/// Puts what happens on the shards of a simulation into its digest, and into a trace if there is
/// one.
class SimObserver final : public ShardObserver {
  public:
    SimObserver(SimNetwork& network, std::shared_ptr<SimTrace> trace)
        : network_(network), trace_(std::move(trace)) {}

    void spawned(Shard& shard, const Process& process) override;
    void ended(Shard& shard, Pid pid, const Process& process, const ExitReason& reason) override;
    void sent(Shard& shard, const Envelope& envelope) override;
    void arriving(Shard& shard, const std::uint8_t* from) override;
    void arrived(Shard& shard, const Envelope& envelope) override;
    void queued(Shard& shard, const Message& message) override;
    void dropped(Shard& shard, const Envelope& envelope, const char* why) override;
    void runs(Shard& shard, const Process& process, const Message& message) override;
    void answered(Shard& shard, Pid owner) override;
    void resumes(Shard& shard, Pid owner) override;
    void timer(Shard& shard) override;
    void socket_ready(Shard& shard, Pid pid) override;

    /// An injected fault, with its victim if that is a process.
    void fault(const SimFault& fault, Pid victim);
    /// Takes up the names of the processes that still live.
    void note_names(Shard& shard);
    const std::shared_ptr<SimTrace>& trace() const { return trace_; }

  private:
    /// From one shard to another, in order.
    struct Lane {
        struct Sent {
            Pid from;
            std::uint64_t event;
        };
        std::deque<Sent> under_way;
    };
    void note(char what, Pid pid, std::uint64_t more = 0);
    std::uint64_t hash_of(const char* name);
    Duration now() const { return network_.since_start(); }
    Pid sender(const Shard& shard) const;
    TraceEvent& arrival(Shard& shard, const Envelope& envelope, std::uint64_t& id);

    SimNetwork& network_;
    std::shared_ptr<SimTrace> trace_;
    std::unordered_map<const char*, std::uint64_t> hashes_;
    std::unordered_map<unsigned, Lane> lanes_;
    std::unordered_map<const void*, std::uint64_t> waiting_;  ///< events of messages in mailboxes
    Pid remote_sender_;                          ///< of what is taken up from another shard now
    std::optional<std::uint64_t> remote_event_;  ///< which is under way until it is known to whom
    bool timer_ = false;
};

}  // namespace bennu::detail
