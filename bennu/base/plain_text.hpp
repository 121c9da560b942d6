#pragma once

#include "bennu/base/byte_scan.hpp"

namespace bennu {

/// How many bytes at the front of a text are printable ASCII and none of `Special`: of most texts
/// all.
template <char... Special>
std::size_t plain_run(std::string_view text) {
    return find_char(text, [](Chars c) {
        auto unusual = c < static_cast<signed char>(' ') | c == static_cast<signed char>(0x7f);
        ((unusual |= c == static_cast<signed char>(Special)), ...);
        return unusual;
    });
}

}  // namespace bennu
