#include "bennu/runtime/table/counter.hpp"

#include <thread>

#include "bennu/runtime/runtime_state.hpp"

namespace bennu {

Counter::Counter() {
    Runtime* runtime = Runtime::current();
    own_ = runtime ? runtime->shard_count() : std::max(1U, std::thread::hardware_concurrency());
    cells_ = std::make_unique<Cell[]>(own_ + 1);
}

std::int64_t Counter::value() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i <= own_; ++i) sum += cells_[i].value.load(std::memory_order_relaxed);
    return static_cast<std::int64_t>(sum);
}

}  // namespace bennu
