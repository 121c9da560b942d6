#include "bennu/net/http_range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

namespace {

/// A number of any length; one that is past every file is as good as the greatest.
std::optional<std::uint64_t> read_position(std::string_view digits) {
    if (digits.empty()) return std::nullopt;
    for (char c : digits) {
        if (!is_ascii_digit(c)) return std::nullopt;
    }
    std::uint64_t value = 0;
    auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return read.ec == std::errc() ? value : UINT64_MAX;
}

}  // namespace

RangeRequest read_range(std::string_view field, std::uint64_t size) {
    constexpr std::string_view unit = "bytes=";
    if (field.size() < unit.size() || !iequals(field.substr(0, unit.size()), unit)) return {};
    std::string_view range = trim_ows(field.substr(unit.size()));
    std::size_t dash = range.find('-');
    if (dash == std::string_view::npos) return {};
    std::string_view from = range.substr(0, dash), to = range.substr(dash + 1);
    if (from.empty()) {
        auto last = read_position(to);
        if (!last) return {};
        if (*last == 0) return {.kind = RangeRequest::Kind::unsatisfiable};
        if (size == 0) return {};
        std::uint64_t length = std::min(*last, size);
        return {RangeRequest::Kind::part, size - length, length};
    }
    auto first = read_position(from);
    auto last = to.empty() ? UINT64_MAX : read_position(to);
    if (!first || !last || *last < *first) return {};
    if (*first >= size) return {.kind = RangeRequest::Kind::unsatisfiable};
    return {RangeRequest::Kind::part, *first, std::min(*last, size - 1) - *first + 1};
}

}  // namespace bennu::net
