#include "bennu/web/route_tree.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/web/origin.hpp"

namespace bennu {

namespace {

Error bad_pattern(std::string_view pattern, std::string_view why) {
    return Error(ErrorKind::invalid, "bad_pattern", std::string(pattern) + ": " + std::string(why));
}

bool is_name(std::string_view name) {
    return !name.empty() && !is_ascii_digit(name.front()) && std::ranges::all_of(name, [](char c) {
        return is_ascii_alpha(c) || is_ascii_digit(c) || c == '_';
    });
}

bool is_text(std::string_view text) {
    return text != "." && text != ".." && std::ranges::all_of(text, [](char c) {
               return static_cast<unsigned char>(c) > ' ' && c != 0x7f &&
                      std::string_view("%?#\\*:").find(c) == std::string_view::npos;
           });
}

/// Whose requests are the fewest: a host, then a family of hosts, then parameters.
std::size_t weight(const RouteConditions& conditions) {
    std::size_t host = conditions.host.empty() ? 0u : conditions.host.starts_with("*.") ? 1u : 2u;
    return host * (RouteTree::max_params + 1) + conditions.checks.size();
}

}  // namespace

Result<std::vector<RouteTree::Part>> RouteTree::parse(std::string_view pattern) {
    if (!pattern.starts_with('/')) return bad_pattern(pattern, "a pattern begins with /");
    std::vector<Part> parts;
    std::size_t params = 0;
    std::string_view rest = pattern;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        std::string_view text = rest.substr(0, rest.find('/'));
        rest.remove_prefix(text.size());
        if (text.empty()) continue;
        if (!parts.empty() && parts.back().kind == Part::Kind::glob) {
            return bad_pattern(pattern, "nothing can follow a *glob");
        }
        Part part{Part::Kind::text, std::string(text)};
        if (text.front() == ':' || text.front() == '*') {
            part.kind = text.front() == ':' ? Part::Kind::param : Part::Kind::glob;
            part.text.erase(0, 1);
            if (!is_name(part.text)) return bad_pattern(pattern, "a parameter needs a plain name");
            for (const Part& other : parts) {
                if (other.kind != Part::Kind::text && other.text == part.text) {
                    return bad_pattern(pattern, "two parameters have the same name");
                }
            }
            if (++params > max_params) return bad_pattern(pattern, "more than eight parameters");
        } else if (!is_text(text)) {
            return bad_pattern(pattern, "a segment holds characters that a pattern cannot have");
        }
        parts.push_back(std::move(part));
    }
    if (parts.size() > 64) return bad_pattern(pattern, "more than 64 segments");
    return parts;
}

std::uint32_t RouteTree::child(std::uint32_t node, const Part& part) {
    auto next = static_cast<std::uint32_t>(nodes_.size());
    Node& at = nodes_[node];
    if (part.kind == Part::Kind::param) {
        if (at.param >= 0) return static_cast<std::uint32_t>(at.param);
        at.param = static_cast<std::int32_t>(next);
    } else {
        auto place = std::ranges::lower_bound(at.texts, part.text, {},
                                              &decltype(at.texts)::value_type::first);
        if (place != at.texts.end() && place->first == part.text) return place->second;
        at.texts.insert(place, {part.text, next});
    }
    nodes_.emplace_back();
    return next;
}

std::int32_t RouteTree::leaf_at(std::int32_t& slot) {
    if (slot < 0) {
        slot = static_cast<std::int32_t>(leaves_.size());
        leaves_.emplace_back();
    }
    return slot;
}

int RouteTree::add(net::Method method, const std::vector<Part>& parts, int route,
                   RouteConditions conditions) {
    std::uint32_t node = 0;
    bool glob = !parts.empty() && parts.back().kind == Part::Kind::glob;
    for (std::size_t i = 0; i + (glob ? 1 : 0) < parts.size(); ++i) node = child(node, parts[i]);
    Leaf& leaf =
        leaves_[static_cast<std::size_t>(leaf_at(glob ? nodes_[node].glob : nodes_[node].leaf))];
    auto index = static_cast<std::size_t>(method);
    auto at = static_cast<std::size_t>(route);
    if (choices_.size() <= at) choices_.resize(at + 1);
    std::int32_t* place = &leaf.route[index];
    for (; *place >= 0; place = &choices_[static_cast<std::size_t>(*place)].next) {
        const RouteConditions& other = choices_[static_cast<std::size_t>(*place)].conditions;
        if (other == conditions) return *place;
        if (weight(conditions) > weight(other)) break;
    }
    leaf.allowed |= 1u << index;
    leaf.conditional = leaf.conditional || !conditions.empty();
    choices_[at] = {std::move(conditions), *place};
    *place = route;
    return -1;
}

struct RouteTree::Search {
    net::Method method;
    std::span<const std::string_view> segments;
    std::string_view host;
    Found found;
};

/// Takes the leaf's route for the method, if it has one; remembers the methods that it has.
bool RouteTree::settle(Search& search, std::int32_t leaf) const {
    const Leaf& at = leaves_[static_cast<std::size_t>(leaf)];
    if (at.conditional) [[unlikely]]
        return settle_conditional(search, at);
    search.found.allowed |= at.allowed;
    std::int32_t route = at.route[static_cast<std::size_t>(search.method)];
    if (route < 0 && search.method == net::Method::head) {
        route = at.route[static_cast<std::size_t>(net::Method::get)];
    }
    search.found.route = route;
    return route >= 0;
}

bool RouteTree::accepts(const Search& search, std::int32_t route) const {
    const RouteConditions& conditions = choices_[static_cast<std::size_t>(route)].conditions;
    if (!conditions.host.empty() && !host_matches(conditions.host, search.host)) return false;
    return std::ranges::all_of(conditions.checks, [&](const RouteConditions::Check& check) {
        return check.fits(search.segments[search.found.values[check.param]]);
    });
}

bool RouteTree::settle_conditional(Search& search, const Leaf& leaf) const {
    std::array<std::int32_t, methods> chosen;
    chosen.fill(-1);
    for (std::size_t i = 0; i < methods; ++i) {
        std::int32_t route = leaf.route[i];
        while (route >= 0 && !accepts(search, route)) {
            route = choices_[static_cast<std::size_t>(route)].next;
        }
        if (route < 0) continue;
        chosen[i] = route;
        search.found.allowed |= 1u << i;
    }
    std::int32_t route = chosen[static_cast<std::size_t>(search.method)];
    if (route < 0 && search.method == net::Method::head) {
        route = chosen[static_cast<std::size_t>(net::Method::get)];
    }
    search.found.route = route;
    return route >= 0;
}

bool RouteTree::descend(Search& search, std::uint32_t node, std::size_t at) const {
    const Node& here = nodes_[node];
    Found& found = search.found;
    if (at == search.segments.size()) return here.leaf >= 0 && settle(search, here.leaf);
    std::string_view segment = search.segments[at];
    for (const auto& [text, next] : here.texts) {
        if (text == segment) {
            if (descend(search, next, at + 1)) return true;
            break;
        }
    }
    if (here.param >= 0) {
        found.values[found.count++] = static_cast<std::uint8_t>(at);
        if (descend(search, static_cast<std::uint32_t>(here.param), at + 1)) return true;
        --found.count;
    }
    if (here.glob >= 0 && settle(search, here.glob)) {
        found.values[found.count++] = static_cast<std::uint8_t>(at);
        found.glob = true;
        return true;
    }
    return false;
}

RouteTree::Found RouteTree::find(net::Method method, std::span<const std::string_view> segments,
                                 std::string_view host) const {
    Search search{method, segments.first(std::min<std::size_t>(segments.size(), 255)), host, {}};
    descend(search, 0, 0);
    return search.found;
}

}  // namespace bennu
