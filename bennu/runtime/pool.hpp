#pragma once

#include <cstddef>

namespace bennu::detail {

/// Memory for what lives and dies on the shards by the million: messages, coroutine frames, bodies.
/// Blocks come in classes of 32 bytes up to 1 KiB from lists of the calling thread, without
/// headers: the size given back must be the one asked for. A block may be given back by another
/// thread than took it. Memory stays with the program and is used again; larger blocks, and all of
/// them under a sanitizer, are malloc's.
void* pool_allocate(std::size_t size);
void pool_free(void* block, std::size_t size) noexcept;

/// Called before each allocation of the calling thread; may throw std::bad_alloc in its place.
/// Null: none. It sees the pool's allocations, and those of `operator new` in a program that
/// includes simulation/failing_new.hpp.
using AllocationHook = void (*)(std::size_t size);
void hook_allocations(AllocationHook hook);
/// Calls it. For replacements of `operator new`.
void before_allocation(std::size_t size);

/// While one lives, the calling thread's hook is not called: for what ends a process after a fault,
/// and for what stands for the kernel in the simulator.
class MustAllocate {
  public:
    MustAllocate();
    ~MustAllocate();
    MustAllocate(const MustAllocate&) = delete;
    MustAllocate& operator=(const MustAllocate&) = delete;
};

/// Bytes that the pools of all threads have taken from the system.
std::size_t pool_reserved_bytes();

/// A base that makes `new` and `delete` of the types below it use the pool.
struct Pooled {
    static void* operator new(std::size_t size) { return pool_allocate(size); }
    static void* operator new(std::size_t, void* place) noexcept { return place; }
    static void operator delete(void* block, std::size_t size) noexcept { pool_free(block, size); }
};

}  // namespace bennu::detail
