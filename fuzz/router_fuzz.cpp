#include <array>
#include <vector>

#include "bennu/web/path.hpp"
#include "bennu/web/route_tree.hpp"
#include "fuzz/input.hpp"

using namespace bennu;

namespace {

using Part = RouteTree::Part;

struct Pattern {
    net::Method method;
    std::vector<Part> parts;
};

/// How a pattern takes a path, segment by segment: t(ext), p(aram), g(lob), and an end that sorts
/// before them; empty when it does not take it. The least of those that do is the most specific.
std::string rank(const Pattern& pattern, std::span<const std::string_view> segments) {
    std::string rank;
    std::size_t at = 0;
    for (const Part& part : pattern.parts) {
        if (at == segments.size()) return {};
        if (part.kind == Part::Kind::glob) return rank + '3';
        if (part.kind == Part::Kind::text && part.text != segments[at]) return {};
        rank += part.kind == Part::Kind::text ? '1' : '2';
        ++at;
    }
    return at == segments.size() ? rank + '0' : std::string();
}

/// The plain way: every pattern is tried.
int look_for(const std::vector<Pattern>& patterns, net::Method method,
             std::span<const std::string_view> segments, std::uint32_t& allowed) {
    int best = -1;
    std::string least;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        const std::string mine = rank(patterns[i], segments);
        if (mine.empty()) continue;
        allowed |= 1U << static_cast<unsigned>(patterns[i].method);
        if (patterns[i].method != method) continue;
        if (best < 0 || mine < least) {
            best = static_cast<int>(i);
            least = mine;
        }
    }
    return best;
}

}  // namespace

/// The input is lines: patterns, each after a letter that names its method, an empty line, and a
/// path.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    constexpr std::array methods = {net::Method::get, net::Method::post, net::Method::delete_};
    RouteTree tree;
    std::vector<Pattern> patterns;
    while (!text.empty() && patterns.size() < 32) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.empty()) break;
        const auto letter = static_cast<unsigned char>(line.front());
        auto parts = RouteTree::parse(line.substr(1));
        if (!parts) continue;
        Pattern pattern{methods[letter % methods.size()], *std::move(parts)};
        const int number = static_cast<int>(patterns.size());
        const int taken = tree.add(pattern.method, pattern.parts, number);
        fuzz::require_that(taken < number, "a route that is not there answers already");
        if (taken < 0) patterns.push_back(std::move(pattern));
    }
    PathSegments segments;
    if (!segments.parse(text)) return 0;
    for (net::Method method : methods) {
        const RouteTree::Found found = tree.find(method, segments.all());
        std::uint32_t allowed = 0;
        const int wanted = look_for(patterns, method, segments.all(), allowed);
        fuzz::require_that(found.route == wanted, "another route than the most specific one");
        fuzz::require_that(wanted >= 0 || found.allowed == allowed, "other methods are allowed");
        if (wanted < 0) continue;
        std::size_t named = 0;
        for (const Part& part : patterns[static_cast<std::size_t>(wanted)].parts)
            named += part.kind == Part::Kind::text ? 0 : 1;
        fuzz::require_that(found.count == named, "not a value for each parameter");
        for (std::size_t i = 0; i < found.count; ++i)
            fuzz::require_that(found.values[i] < segments.all().size(), "a value past the path");
    }
    return 0;
}
