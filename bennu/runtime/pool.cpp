#include "bennu/runtime/pool.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BENNU_POOL_IS_MALLOC 1
#endif
#endif

namespace bennu::detail {

namespace {

constexpr std::size_t class_size = 32;
constexpr std::size_t classes = 64;  ///< up to 2 KiB: frames of endpoints are longer than 1 KiB
constexpr std::size_t slab_size = 64 * 1024;

std::atomic<std::size_t> reserved{0};

struct Block {
    Block* next;
};

/// Lists of threads that have ended, for others to take over.
struct Depot {
    std::mutex mutex;
    std::array<Block*, classes> lists{};
};
Depot& depot() {
    static auto* instance = new Depot;  // outlives every thread
    return *instance;
}

struct Lists {
    /// How many of the classes are served without further ado: all, or none while allocations are
    /// hooked. So the hook costs nothing when there is none.
    std::size_t served = classes;
    std::array<Block*, classes> heads{};
    bool registered = false;
    AllocationHook hook = nullptr;
    unsigned unhooked = 0;
};
constinit thread_local Lists lists;

/// Hands the lists of an ending thread to the depot.
struct AtThreadEnd {
    ~AtThreadEnd() {
        std::lock_guard lock(depot().mutex);
        for (std::size_t i = 0; i < classes; ++i) {
            Block* head = std::exchange(lists.heads[i], nullptr);
            if (!head) continue;
            Block* last = head;
            while (last->next) last = last->next;
            last->next = depot().lists[i];
            depot().lists[i] = head;
        }
    }
};

[[gnu::noinline]] void* refill(std::size_t index) {
    if (!lists.registered) {
        lists.registered = true;
        static thread_local AtThreadEnd at_end;
        static_cast<void>(at_end);
    }
    {
        std::lock_guard lock(depot().mutex);
        lists.heads[index] = std::exchange(depot().lists[index], nullptr);
    }
    if (!lists.heads[index]) {
        std::size_t size = (index + 1) * class_size;
        std::size_t count = slab_size / size;
        auto* slab = static_cast<std::byte*>(::operator new(count * size));
        reserved.fetch_add(count * size, std::memory_order_relaxed);
        Block* head = nullptr;
        for (std::size_t i = count; i-- > 0;) {
            auto* block = reinterpret_cast<Block*>(slab + i * size);
            block->next = head;
            head = block;
        }
        lists.heads[index] = head;
    }
    Block* block = lists.heads[index];
    lists.heads[index] = block->next;
    return block;
}

Block* take_block(std::size_t index) {
    Block* block = lists.heads[index];
    if (!block) [[unlikely]]
        return static_cast<Block*>(refill(index));
    lists.heads[index] = block->next;
    return block;
}

[[gnu::noinline]] void* allocate_otherwise(std::size_t size) {
    before_allocation(size);
    MustAllocate seen;
#ifndef BENNU_POOL_IS_MALLOC
    std::size_t index = (size - 1) / class_size;
    if (index < classes) return take_block(index);
#endif
    return ::operator new(size);
}

}  // namespace

void* pool_allocate(std::size_t size) {
#ifndef BENNU_POOL_IS_MALLOC
    std::size_t index = (size - 1) / class_size;
    if (index < lists.served) [[likely]]
        return take_block(index);
#endif
    return allocate_otherwise(size);
}

void hook_allocations(AllocationHook hook) {
    lists.hook = hook;
    lists.served = hook ? 0 : classes;
}

void before_allocation(std::size_t size) {
    if (lists.hook && lists.unhooked == 0) lists.hook(size);
}

MustAllocate::MustAllocate() {
    ++lists.unhooked;
}
MustAllocate::~MustAllocate() {
    --lists.unhooked;
}

void pool_free(void* memory, std::size_t size) noexcept {
#ifndef BENNU_POOL_IS_MALLOC
    std::size_t index = (size - 1) / class_size;
    if (index < classes) [[likely]] {
        auto* block = static_cast<Block*>(memory);
        block->next = lists.heads[index];
        lists.heads[index] = block;
        return;
    }
#endif
    ::operator delete(memory, size);
}

std::size_t pool_reserved_bytes() {
    return reserved.load(std::memory_order_relaxed);
}

}  // namespace bennu::detail
