#include "bennu/runtime/placement.hpp"

#include "bennu/runtime/runtime_state.hpp"

namespace bennu {

namespace detail {

namespace {

/// As much of a shard's time as so many idle processes, which may wake up at any moment.
constexpr std::uint32_t weight_of_due = 16;

}  // namespace

std::uint64_t stable_hash(std::uint64_t key) {
    // splitmix64's finaliser: neighbouring keys spread over all values.
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ULL;
    key = (key ^ (key >> 27)) * 0x94D049BB133111EBULL;
    return key ^ (key >> 31);
}

std::uint64_t stable_hash(std::string_view key) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
    for (unsigned char c : key) hash = (hash ^ c) * 0x100000001B3ULL;
    return stable_hash(hash);
}

std::uint8_t shard_of_hash(std::uint64_t hash) {
    return static_cast<std::uint8_t>(hash % Shard::current()->runtime().shard_count());
}

void Shard::note_load() {
    load_.store(static_cast<std::uint32_t>(process_count_) +
                    weight_of_due * static_cast<std::uint32_t>(run_queue_.size()),
                std::memory_order_relaxed);
}

}  // namespace detail

std::uint8_t least_loaded_shard() {
    detail::Shard& here = *detail::Shard::current();
    Runtime& runtime = here.runtime();
    std::uint8_t best = here.index();
    for (unsigned i = 1; i < runtime.shard_count(); ++i) {
        auto index = static_cast<std::uint8_t>((here.index() + i) % runtime.shard_count());
        if (runtime.shard(index).load() < runtime.shard(best).load()) best = index;
    }
    runtime.shard(best).expect_process();
    return best;
}

std::uint8_t Placement::choose() const {
    switch (kind_) {
        case Kind::here:
            break;
        case Kind::shard:
            return static_cast<std::uint8_t>(value_ %
                                             detail::Shard::current()->runtime().shard_count());
        case Kind::key:
            return detail::shard_of_hash(value_);
        case Kind::least_loaded:
            return least_loaded_shard();
    }
    return detail::Shard::current()->index();
}

}  // namespace bennu
