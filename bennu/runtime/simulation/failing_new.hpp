// Include this in one source file of a test program: its `operator new` then fails where the
// simulator says so, as the pool does in every program. ThreadSanitizer brings one of its own, so
// that there only the pool fails.
#pragma once

#include <cstdlib>
#include <new>

#include "bennu/runtime/pool.hpp"

#if !__has_feature(thread_sanitizer)

void* operator new(std::size_t size) {
    bennu::detail::before_allocation(size);
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size) {
    return ::operator new(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

#endif
