#include "bennu/runtime/supervisor/partitions.hpp"

#include "bennu/runtime/supervisor.hpp"

namespace bennu::detail {

std::uint64_t partition_hash(std::uint64_t key) {
    // splitmix64's finaliser: neighbouring keys spread over all partitions.
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ULL;
    key = (key ^ (key >> 27)) * 0x94D049BB133111EBULL;
    return key ^ (key >> 31);
}

std::uint64_t partition_hash(std::string_view key) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a: the same on every machine
    for (unsigned char c : key) hash = (hash ^ c) * 0x100000001B3ULL;
    return partition_hash(hash);
}

ChildSpec partition_spec(ChildOptions options, std::shared_ptr<PartitionTable> table,
                         Function<ChildSpec(std::size_t)> make_copy) {
    ChildOptions whole{
        .id = options.id, .shutdown = std::chrono::seconds(30), .after = std::move(options.after)};
    auto make = std::make_shared<Function<ChildSpec(std::size_t)>>(std::move(make_copy));
    return child_supervisor(
        std::move(whole), {.order = StartOrder::parallel}, [table = std::move(table), make] {
            std::vector<ChildSpec> copies;
            for (std::size_t i = 0; i < table->pids.size(); ++i) {
                ChildSpec copy = (*make)(i);
                copy.after.clear();
                copy.start = [table, i,
                              start = std::make_shared<Function<Task<Result<Pid>>()>>(
                                  std::move(copy.start))]() -> Task<Result<Pid>> {
                    Result<Pid> pid = co_await (*start)();
                    if (pid) table->pids[i].store(pid->bits(), std::memory_order_release);
                    co_return pid;
                };
                copies.push_back(std::move(copy));
            }
            return copies;
        });
}

}  // namespace bennu::detail
