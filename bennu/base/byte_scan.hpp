#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bennu {

/// Sixteen characters; comparing them gives as many answers. Characters from 0x80 on are below 0.
using Chars = signed char __attribute__((ext_vector_type(16)));

/// Where the first character is that `marks` marks, or the text's size. `marks` takes `Chars` and
/// answers with as many flags: `[](Chars c) { return c == 'x' | c < ' '; }`. A text of twenty
/// characters costs about thirty instructions.
template <typename Marks>
std::size_t find_char(std::string_view text, Marks marks) {
    static_assert(std::endian::native == std::endian::little);
    const auto first_of = [&](Chars chars) {
        using Flags = bool __attribute__((ext_vector_type(16)));
        const auto flags =
            __builtin_bit_cast(std::uint16_t, __builtin_convertvector(marks(chars), Flags));
        return static_cast<std::size_t>(std::countr_zero(0x10000u | flags));
    };
    const auto load = [&]<typename Word>(std::size_t at, Word word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        return word;
    };
    const auto first_of_words = [&](std::uint64_t low, std::uint64_t high) {
        const std::uint64_t words[] = {low, high};
        return first_of(__builtin_bit_cast(Chars, words));
    };
    const std::size_t size = text.size();
    if (size >= 16) {
        for (std::size_t at = 0; at + 16 < size; at += 16) {
            if (const std::size_t found = first_of(load(at, Chars{})); found < 16)
                return at + found;
        }
        // The last ones, some of them for a second time.
        return size - 16 + first_of(load(size - 16, Chars{}));
    }
    if (size >= 8) {
        const std::size_t found =
            first_of_words(load(0, std::uint64_t{}), load(size - 8, std::uint64_t{}));
        return found < 8 ? found : size - 16 + found;
    }
    if (size >= 4) {
        const std::uint64_t word =
            load(0, std::uint32_t{}) | std::uint64_t{load(size - 4, std::uint32_t{})} << 32;
        const std::size_t found = first_of_words(word, word);
        return found < 4 ? found : size - 8 + (found < 8 ? found : 8);
    }
    if (size == 0) return 0;
    // One, two or three: the first, the middle one and the last.
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const std::uint64_t three = byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
    const std::size_t found = first_of_words(three, three);
    const std::size_t at[] = {0, size / 2, size - 1};
    return found < 3 ? at[found] : size;
}

}  // namespace bennu
