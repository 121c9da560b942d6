#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bennu/base/result.hpp"
#include "bennu/base/time.hpp"

namespace bennu {

struct ProcessInfo;

enum class FaultKind : std::uint8_t {
    // At a moment of virtual time.
    kill,        ///< ends a process, as `kill` does
    partition,   ///< nothing passes to or from a port (or one way only) until it heals
    clock_jump,  ///< the wall clock moves; the monotonic one does not
    suspend,     ///< the machine sleeps: both clocks leap forward, everything due is late
    // At the n-th write to a socket.
    reset,  ///< the connection is reset
    loss,   ///< what is written from now on is lost; after a while the connection is reset
    delay,  ///< these bytes, and those behind them, arrive later
    // At the n-th job of an executor.
    slow_job,     ///< takes longer
    refused_job,  ///< the queue is full
    // At the n-th allocation of the processes.
    failed_allocation,
    // At the n-th message over a `SimLink`.
    link_drop,
    link_delay,      ///< this one and those behind it arrive later
    link_duplicate,  ///< arrives twice
    link_reorder,    ///< arrives later than those behind it
};
inline constexpr std::size_t fault_kinds = 14;
std::string_view to_string(FaultKind kind);

/// What the kinds of faults that do not strike at a moment count.
enum class FaultStep : std::uint8_t { write, job, allocation, link };
inline constexpr std::size_t fault_steps = 4;
bool strikes_at_a_moment(FaultKind kind);
/// For the other kinds.
FaultStep step_of(FaultKind kind);

/// One fault as data: a run with equal faults (and an equal seed) is an equal run.
struct SimFault {
    FaultKind kind = FaultKind::kill;
    Duration at{};           ///< since the start, for the kinds that strike at a moment
    std::uint64_t step = 0;  ///< 1: the first write, job, …; for the other kinds
    std::uint64_t pick = 0;  ///< which of the processes or ports there are then; also the direction
    Duration amount{};       ///< how long, or how far the clock jumps
    std::string target = {};  ///< instead of `pick`: a process's name
    std::uint32_t run = 0;    ///< of which `simulate` of a test: 0 is the first
    std::string hit = {};     ///< once it struck: what it did, for people

    /// Equal faults do the same; what they hit is not compared.
    bool operator==(const SimFault& other) const;
    /// One line for people.
    std::string describe() const;
};

/// The form that `BENNU_SIM_FAULTS` takes: `kind:run:at_ns:step:pick:amount_ns[:target]`, joined by
/// spaces.
std::string to_text(const std::vector<SimFault>& faults);
Result<std::vector<SimFault>> parse_faults(std::string_view text);

/// How often each kind of fault strikes. They are drawn from the seed, from streams of their own: a
/// run with fewer kinds meets the others as before.
struct FaultOptions {
    // How many a second of virtual time, on average.
    double kills = 0;
    double partitions = 0;
    double clock_jumps = 0;
    double suspends = 0;
    // The share of writes, jobs, allocations and messages over links that they strike.
    double resets = 0;
    double losses = 0;
    double delays = 0;
    double slow_jobs = 0;
    double refused_jobs = 0;
    double failed_allocations = 0;
    double link_drops = 0;
    double link_delays = 0;
    double link_duplicates = 0;
    double link_reorders = 0;

    /// After this much virtual time nothing more strikes, so that a test can see things recover.
    Duration until = std::chrono::seconds(10);
    /// Nor after so many.
    std::size_t most = 100;
    /// Of a delay, a partition, a stall, a sleep. Short ones are more likely.
    Duration longest = std::chrono::seconds(2);
    Duration longest_clock_jump = std::chrono::hours(1);
    /// Who may be killed; by default everybody but the process named "main".
    std::function<bool(const ProcessInfo&)> victim = {};

    double rate(FaultKind kind) const;
};

}  // namespace bennu
