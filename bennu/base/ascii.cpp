#include "bennu/base/ascii.hpp"

namespace bennu {

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = ascii_lower(c);
    return lower;
}

}  // namespace bennu
