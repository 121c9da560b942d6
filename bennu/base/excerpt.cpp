#include "bennu/base/excerpt.hpp"

#include "bennu/base/utf8.hpp"

namespace bennu {

std::string_view excerpt(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    std::size_t size = 0;
    while (const std::size_t next = utf8_char_length(text.substr(size))) {
        if (size + next > most) break;
        size += next;
    }
    return text.substr(0, size);
}

}  // namespace bennu
