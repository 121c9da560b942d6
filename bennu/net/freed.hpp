#pragma once

namespace bennu::net {

/// The deleter of what a C library made, for std::unique_ptr: its own function.
template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};

}  // namespace bennu::net
