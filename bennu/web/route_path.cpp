#include "bennu/web/route_path.hpp"

#include <stdexcept>

#include "bennu/net/url.hpp"
#include "bennu/web/router_state.hpp"

namespace bennu::detail {

namespace {

const LinkedPath*& first_link() {
    static constinit const LinkedPath* first = nullptr;
    return first;
}

std::string segment_text(std::string_view text) {
    if (text.empty() || text == "." || text == ".." ||
        text.find_first_of("/\\") != std::string_view::npos) {
        throw std::invalid_argument("a link's parameter cannot be a segment of a path");
    }
    return net::percent_encode(text);
}

std::string glob_text(std::string_view text) {
    std::string out;
    while (true) {
        std::size_t slash = text.find('/');
        out += segment_text(text.substr(0, slash));
        if (slash == std::string_view::npos) return out;
        out += '/';
        text.remove_prefix(slash + 1);
    }
}

}  // namespace

LinkedPath::LinkedPath(const void* whose, std::string_view text)
    : site(whose), pattern(text), next(first_link()) {
    first_link() = this;
}

std::vector<std::string_view> linked_paths(const void* site) {
    std::vector<std::string_view> all;
    for (const LinkedPath* link = first_link(); link; link = link->next) {
        if (link->site == site) all.push_back(link->pattern);
    }
    return all;
}

std::string fill_path(std::string_view pattern, std::initializer_list<Json> values) {
    const Json* value = values.begin();
    std::string out;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        std::string_view part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(part.size());
        out += '/';
        bool glob = part.starts_with('*');
        if (!glob && !part.starts_with(':')) {
            out += part;
            continue;
        }
        std::string text = value->is_string() ? std::string(value->as_string()) : to_json(*value);
        ++value;
        out += glob ? glob_text(text) : segment_text(text);
    }
    return out;
}

}  // namespace bennu::detail
