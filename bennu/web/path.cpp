#include "bennu/web/path.hpp"

#include "bennu/net/url.hpp"

namespace bennu {

namespace {

/// Characters that mean themselves: printable ASCII without `%`, backslash and slash.
constexpr std::array<bool, 256> make_plain() {
    std::array<bool, 256> plain{};
    for (int c = 0x21; c < 0x7f; ++c) plain[static_cast<std::size_t>(c)] = true;
    plain['%'] = plain['\\'] = plain['/'] = false;
    return plain;
}
constexpr auto plain_characters = make_plain();

}  // namespace

Result<> PathSegments::parse(std::string_view path) {
    all_ = {};
    if (parse_plain(path)) return {};
    auto decoded = net::split_path(path);
    if (!decoded) return std::move(decoded).error();
    decoded_ = *std::move(decoded);
    many_.assign(decoded_.begin(), decoded_.end());
    all_ = many_;
    return {};
}

/// The quick way; false when the path needs decoding, a judgement or more room.
bool PathSegments::parse_plain(std::string_view path) {
    std::size_t count = 0;
    std::size_t at = 0;
    while (at < path.size()) {
        if (path[at] != '/') return false;
        std::size_t start = ++at;
        while (at < path.size() && plain_characters[static_cast<unsigned char>(path[at])]) ++at;
        if (at < path.size() && path[at] != '/') return false;
        std::string_view segment = path.substr(start, at - start);
        if (segment.empty()) continue;
        if (segment == "." || segment == ".." || count == inline_.size()) return false;
        inline_[count++] = segment;
    }
    all_ = std::span(inline_).first(count);
    return true;
}

}  // namespace bennu
