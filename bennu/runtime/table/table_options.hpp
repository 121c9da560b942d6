#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "bennu/base/time.hpp"

namespace bennu {

/// What a bounded table does with a new key when it is full.
enum class Eviction : std::uint8_t {
    reject,               ///< the new entry is refused (`Stored::full`)
    least_recently_used,  ///< hash tables: an entry that was not read lately goes (second chance)
    lowest_key,           ///< ordered tables: the smallest key goes, the new one included
    highest_key,          ///< ordered tables: the largest key goes, the new one included
};

struct TableOptions {
    /// For `open`, unique among the tables of the runtime; empty: only handles find it.
    std::string name;
    /// 0: unbounded. Several writers at once may exceed it by one entry each for an instant.
    std::size_t max_entries = 0;
    Eviction eviction = Eviction::reject;
    /// How long an entry lives that is put without a TTL of its own; zero: for ever.
    Duration default_ttl = Duration::zero();
    /// How often expired entries are looked for and destroyed. Nobody sees them before that either.
    Duration sweep_every = std::chrono::seconds(1);
    /// Makes room in advance, so that growing to this size moves nothing.
    std::size_t expected_entries = 0;
    /// Of the meaning of what a snapshot holds: `load` refuses a file of another version.
    std::uint32_t version = 1;
};

/// What became of a `put`.
enum class Stored : std::uint8_t {
    inserted,  ///< the key was not there (or had expired)
    replaced,
    exists,  ///< only `insert_new`: the key is there, nothing changed
    full,    ///< the table is full and rejects
};

/// The fault of adding to a table whose owner has ended, or that was closed.
struct TableClosed : std::logic_error {
    TableClosed() : std::logic_error("the table is closed: its owner ended") {}
};

struct PutOptions {
    /// Zero: the table's default.
    Duration ttl = Duration::zero();
};

namespace detail {

/// How far a sweep for expired entries has come.
struct TableSweep {
    std::size_t segment = 0, slot = 0;  ///< of a hash table
    std::shared_ptr<void> position;     ///< of an ordered table
    bool saw_expiring = false;          ///< an entry that will expire
};

/// The clock that expiry follows: this shard's; beside the shards the runtime's; else the
/// machine's. Virtual in the simulator.
Instant table_now();

/// The moment an entry expires, in the form that slots keep; 0: never.
inline std::int64_t expiry_of(Duration ttl) {
    return ttl <= Duration::zero() ? 0 : (table_now() + ttl).ns;
}
inline bool expired(std::int64_t expires) {
    return expires != 0 && expires <= table_now().ns;
}

/// How many parts a table that is written from every shard is cut into; a power of two.
std::size_t table_segments();

}  // namespace detail

}  // namespace bennu
