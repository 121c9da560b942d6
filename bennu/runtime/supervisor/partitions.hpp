#pragma once

#include <atomic>
#include <concepts>
#include <memory>
#include <string_view>
#include <vector>

#include "bennu/runtime/supervisor/child_spec.hpp"

namespace bennu {

namespace detail {

/// Which process serves which partition now; read by every shard.
struct PartitionTable {
    explicit PartitionTable(std::size_t count) : pids(count) {}
    std::vector<std::atomic<std::uint64_t>> pids;
};
/// A supervisor over one copy of `make_copy(i)` per partition.
ChildSpec partition_spec(ChildOptions options, std::shared_ptr<PartitionTable> table,
                         Function<ChildSpec(std::size_t)> make_copy);

}  // namespace detail

/// Several copies of one server, spread over the shards, each of them restarted on its own. The
/// handle is made before the tree and given to whoever sends: finding a copy is one load, on any
/// shard. While a copy is down, sends to it are lost and calls fail, as with any process that is
/// gone.
///
///     Partitions<Counter> counters(8);
///     children.push_back(child_partitions(counters, {.id = "counters"}));
///     cast(counters.by(user_id), Counter::Add{1});
template <typename S>
class Partitions {
  public:
    explicit Partitions(std::size_t count)
        : table_(std::make_shared<detail::PartitionTable>(count == 0 ? 1 : count)) {}
    /// One copy on each shard; call on a shard.
    static Partitions one_per_shard() { return Partitions(shard_count()); }

    std::size_t size() const { return table_->pids.size(); }
    Ref<S> at(std::size_t index) const {
        return Ref<S>(Pid::from_bits(table_->pids[index % size()].load(std::memory_order_acquire)));
    }
    /// The copy of this shard, when there is one per shard (or a multiple of that).
    Ref<S> here() const { return at(shard_index()); }
    /// Equal keys go to the same copy for as long as the number of copies stays.
    Ref<S> by(std::string_view key) const { return at(detail::stable_hash(key) % size()); }
    Ref<S> by(std::integral auto key) const {
        return at(detail::stable_hash(static_cast<std::uint64_t>(key)) % size());
    }

    std::shared_ptr<detail::PartitionTable> table() const { return table_; }

  private:
    std::shared_ptr<detail::PartitionTable> table_;
};

/// The copies as one child of a supervisor. `options` apply to each copy; copy i lives on shard
/// i modulo their number, and is registered as `name/i` when a name is given.
template <typename S, typename... A>
ChildSpec child_partitions(const Partitions<S>& partitions, ChildOptions options, A... args) {
    ChildOptions whole = options;
    if (whole.id.empty()) whole.id = detail::type_name_of<S>();
    return detail::partition_spec(
        std::move(whole), partitions.table(),
        [options = std::move(options), args...](std::size_t index) {
            ChildOptions copy = options;
            copy.id = std::to_string(index);
            if (!copy.name.empty()) copy.name.append("/").append(copy.id);
            copy.place = place::shard(static_cast<std::uint8_t>(index % shard_count()));
            return child<S>(std::move(copy), args...);
        });
}

}  // namespace bennu
