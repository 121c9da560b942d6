#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace bennu::fuzz {

/// The input without its first byte, which says into how large pieces the rest is cut.
struct CutInput {
    CutInput(const std::uint8_t* data, std::size_t size) {
        if (size == 0) return;
        piece = std::max<std::size_t>(1, data[0]);
        bytes = {reinterpret_cast<const char*>(data) + 1, size - 1};
    }

    /// Calls `take` with every piece in order.
    template <typename Take>
    void for_each_piece(Take take) const {
        for (std::size_t at = 0; at < bytes.size(); at += piece) take(bytes.substr(at, piece));
    }

    std::size_t piece = 1;
    std::string_view bytes;
};

/// A broken promise: the fuzzer keeps the input.
inline void require_equal(const std::string& a, const std::string& b, const char* what) {
    if (a == b) return;
    std::fprintf(stderr, "%s:\n--- one\n%s\n--- other\n%s\n", what, a.c_str(), b.c_str());
    std::abort();
}

inline void require_that(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

}  // namespace bennu::fuzz
