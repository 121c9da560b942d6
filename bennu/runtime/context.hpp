#pragma once

#include <cstdint>

#include "bennu/base/function.hpp"
#include "bennu/base/id.hpp"
#include "bennu/base/random.hpp"
#include "bennu/base/time.hpp"
#include "bennu/runtime/pid.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu {

/// The process that runs now; nobody outside of processes.
Pid self();
inline Instant now() {
    return detail::Shard::current()->now();
}
/// In the handler of a call: how long its caller will still wait (to a millisecond or so, never
/// negative), so that work can be cut to what is left; the handler's own calls are cut to it
/// anyway. Anywhere else `Duration::max()`. Calls whose time is up before their handler starts are
/// not run.
Duration time_left();
/// In a suspended-and-resumed handler of a call, which answers with its result: whether nobody
/// waits for that any more, because the time is up or the caller was cancelled or ended. A caller
/// on another shard is noticed a little later.
bool caller_gone();
Timestamp wall_now();
Random& random();
/// A fresh version 7 UUID of this shard's generator.
Id new_id();
/// The shard of the running code, and how many there are.
std::uint8_t shard_index();
std::uint8_t shard_count();
bool on_shard();
/// An object of type T that this shard's code shares (tables of a service); default-constructed on
/// first use.
template <typename T>
T& shard_local() {
    return detail::Shard::current()->local<T>();
}
/// Runs `job` on another shard, outside of any process, in order with what this shard sends there.
/// Not cancelled by the end of the caller.
void post(std::uint8_t shard, Function<void()> job);
/// Runs `hook` once, when this shard's turn ends and before it waits for I/O.
void at_turn_end(Function<void()> hook);

}  // namespace bennu
