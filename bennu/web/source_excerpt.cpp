#include "bennu/web/source_excerpt.hpp"

#include <charconv>
#include <fstream>

namespace bennu {

std::vector<std::string> source_excerpt(std::string_view await_point) {
    constexpr std::size_t around = 3;
    // The file's name is the compiler's; a colon and a number end it.
    std::size_t colon = await_point.find(':');
    if (colon == std::string_view::npos) return {};
    std::string_view rest = await_point.substr(colon + 1);
    std::size_t line = 0;
    if (std::from_chars(rest.begin(), rest.end(), line).ec != std::errc() || line == 0) return {};
    std::ifstream file{std::string(await_point.substr(0, colon))};
    std::vector<std::string> lines;
    std::string text;
    for (std::size_t number = 1; number <= line + around && std::getline(file, text); ++number) {
        if (number + around < line) continue;
        std::string count = std::to_string(number);
        lines.push_back((number == line ? "> " : "  ") +
                        std::string(count.size() < 5 ? 5 - count.size() : 0, ' ') + count + "  " +
                        text);
    }
    return lines;
}

}  // namespace bennu
