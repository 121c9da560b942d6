#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/pubsub/payload.hpp"
#include "bennu/pubsub/presence_state_text.hpp"

namespace bennu::presence::detail {

using UseState = Function<void(const Shared<StateText>&)>;

/// A key and the metas under it: JSON objects with commas between them.
struct KeyMetas {
    std::string key;
    std::string metas;
};
/// One meta that came or went.
struct Change {
    std::string key;
    std::string text;  ///< empty: taken back
};

/// A client goes on with the diffs that come after the state; a program reads it once.
enum class Asker : std::uint8_t { client, program };
/// Somebody on a shard who asked for the state.
struct Waiting {
    std::uint8_t shard;
    UseState use;
    Asker asker = Asker::client;
};

/// What leaves a topic at once: the changes of a window, and the state after them for those who
/// asked.
struct Outgoing {
    std::vector<Change> joins, leaves;
    std::vector<KeyMetas> state;  ///< only if somebody waits for it
    std::vector<Waiting> waiting;
    /// Of whom clients lack what a fetch that failed would have brought, with all their metas.
    std::vector<KeyMetas> again;

    /// Everybody that it speaks of, once: with the metas that are there, or else those that left.
    std::vector<KeyMetas> people() const;
    /// The payload of `presence_diff`; nothing when there is no change to tell. `fetched` is
    /// nothing when the fetch failed. Whoever is told again is among the joins with all metas: a
    /// client of npm `phoenix` puts these in the place of those with the same `phx_ref`, and sees
    /// nobody leave.
    std::optional<Payload> diff(const FetchedText* fetched) const;
    /// Whom clients hear of without what a fetch would have brought, when that failed.
    std::vector<std::string> told_to_clients() const;
    /// Hands the state to those who wait for it.
    void answer(const FetchedText* fetched);
};

}  // namespace bennu::presence::detail
