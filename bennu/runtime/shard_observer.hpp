#pragma once

#include "bennu/runtime/exit.hpp"
#include "bennu/runtime/message.hpp"

namespace bennu::detail {

/// Sees everything that happens on a shard, in order, on its thread: the simulator's trace. A shard
/// without one pays a test of a null pointer for each.
class ShardObserver {
  public:
    virtual ~ShardObserver() = default;

    virtual void spawned(Shard& shard, const Process& process) = 0;
    virtual void ended(Shard& shard, Pid pid, const Process& process, const ExitReason& reason) = 0;
    /// The running process's message leaves for another shard.
    virtual void sent(Shard& shard, const Envelope& envelope) = 0;
    /// The next message of another shard is taken up; nullptr: that was the last of them.
    virtual void arriving(Shard& shard, const std::uint8_t* from) = 0;
    /// It was one for the shard itself: a reply, a job.
    virtual void arrived(Shard& shard, const Envelope& envelope) = 0;
    /// A message waits in its receiver's mailbox now; the pointer names it until `runs`.
    virtual void queued(Shard& shard, const Message& message) = 0;
    /// Nobody will run it: the receiver is gone, or its mailbox full.
    virtual void dropped(Shard& shard, const Envelope& envelope, const char* why) = 0;
    virtual void runs(Shard& shard, const Process& process, const Message& message) = 0;
    /// A reply, a time-out or another answer for a suspended coroutine of `owner`.
    virtual void answered(Shard& shard, Pid owner) = 0;
    virtual void resumes(Shard& shard, Pid owner) = 0;
    /// A timer is up; what it brings follows.
    virtual void timer(Shard& shard) = 0;
    virtual void socket_ready(Shard& shard, Pid pid) = 0;
};

}  // namespace bennu::detail
