#include "bennu/runtime/supervisor/partitions.hpp"

#include "bennu/runtime/supervisor.hpp"

namespace bennu::detail {

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
