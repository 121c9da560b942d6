#include "bennu/runtime/table/slot_array.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <thread>

#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/table/table_options.hpp"

namespace bennu::detail {

namespace {
constexpr std::size_t huge_page = std::size_t{2} << 20;
}

void* allocate_slots(std::size_t bytes) {
    bool huge = bytes >= huge_page;
    std::size_t alignment = huge ? huge_page : 64;
    void* memory = ::operator new(bytes, std::align_val_t{alignment});
    if (huge) ::madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

void free_slots(void* memory, std::size_t bytes) {
    std::size_t alignment = bytes >= huge_page ? huge_page : 64;
    ::operator delete(memory, std::align_val_t{alignment});
}

Instant table_now() {
    if (Shard* shard = Shard::current()) return shard->now();
    if (Runtime* runtime = Runtime::current()) return runtime->shard(0).reactor().now();
    return Instant{
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())
            .count()};
}

std::size_t table_segments() {
    Runtime* runtime = Runtime::current();
    std::size_t writers =
        runtime ? runtime->shard_count() : std::max(1U, std::thread::hardware_concurrency());
    return std::clamp<std::size_t>(std::bit_ceil(writers * 8), 16, 256);
}

}  // namespace bennu::detail
