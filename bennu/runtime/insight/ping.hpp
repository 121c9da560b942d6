#pragma once

#include <vector>

#include "bennu/runtime/process.hpp"

namespace bennu::runtime {

/// The answer to a `ping`: a message of the process that sent it.
struct Pong {
    Pid pid;
    std::uint64_t number = 0;
    Instant at;  ///< when the process answered
};

namespace detail {
using MakePong = bennu::detail::Envelope (*)(Pid to, Pong&& pong);
void send_pings(std::vector<Pid> pids, Pid to, MakePong make, std::uint64_t number);
}  // namespace detail

/// Asks each of the processes, of any shard and type, for a sign of life. Each answers with a
/// `Pong` to `to` when its turn comes, in the order of its mailbox: one that is busy answers late,
/// one that is stuck never. Those that are gone, have a full mailbox (in which a ping might push
/// out work) or none at all are left out.
template <typename S>
void ping(std::vector<Pid> pids, Ref<S> to, std::uint64_t number) {
    detail::send_pings(
        std::move(pids), to.pid(),
        [](Pid asker, Pong&& pong) {
            return bennu::detail::make_envelope<S>(asker, std::move(pong));
        },
        number);
}

}  // namespace bennu::runtime
