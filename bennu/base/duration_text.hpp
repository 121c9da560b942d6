#pragma once

#include <charconv>
#include <cstdint>

#include "bennu/base/time.hpp"

namespace bennu {

/// As milliseconds, `12.345678ms`, without zeros at the end. Takes up to 30 characters at `to`;
/// returns where it ends.
inline char* write_duration(char* to, Duration duration) {
    constexpr std::uint64_t ns_per_ms = 1'000'000;
    const bool negative = duration.count() < 0;
    auto ns = static_cast<std::uint64_t>(duration.count());
    if (negative) {
        *to++ = '-';
        ns = -ns;
    }
    to = std::to_chars(to, to + 20, ns / ns_per_ms).ptr;
    if (std::uint64_t rest = ns % ns_per_ms) {
        int digits = 6;
        for (; rest % 10 == 0; rest /= 10) --digits;
        *to = '.';
        for (int at = digits; at > 0; rest /= 10) to[at--] = static_cast<char>('0' + rest % 10);
        to += digits + 1;
    }
    *to++ = 'm';
    *to++ = 's';
    return to;
}

}  // namespace bennu
