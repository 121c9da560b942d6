#include "bennu/web/parameter_filter.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/base/secret.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/web/conn_state.hpp"

namespace bennu {

namespace {

constexpr std::size_t longest_value = 200;
constexpr std::size_t longest_text = 4000;

std::string cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    // Not within a character.
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    return std::string(text.substr(0, most)) + "…";
}

const ParameterFilter& filter_of(const Conn& conn) {
    static const ParameterFilter usual;
    const ParameterFilter* own = conn.state().filter;
    return own ? *own : usual;
}

/// The names and values of the route's parameters.
std::size_t path_parameters(const Conn& conn) {
    const Route* route = conn.route();
    return route ? std::min(route->params.size(), conn.state().match.values.size()) : 0;
}

}  // namespace

std::vector<std::string> default_filtered_parameters() {
    return {"password", "passwd",  "passphrase", "secret",      "token",        "api_key",
            "apikey",   "api-key", "credential", "private_key", "authorization"};
}

ParameterFilter::ParameterFilter(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) word = to_lower(word);
    std::erase(words_, "");
}

bool ParameterFilter::hides(std::string_view name) const {
    const std::string lower = to_lower(name);
    return std::ranges::any_of(words_,
                               [&](const std::string& word) { return lower.contains(word); });
}

Json ParameterFilter::masked(const Json& value) const {
    if (value.is_string()) return Json(cut(value.as_string(), longest_value));
    if (value.is_array()) {
        Json::Array items;
        for (const Json& item : value.as_array()) items.push_back(masked(item));
        return Json(std::move(items));
    }
    if (!value.is_object()) return value;
    Json out = Json::object();
    for (const JsonMember& member : value.as_object())
        out.set(member.key, hides(member.key) ? Json(Secret::mask) : masked(member.value));
    return out;
}

std::string_view shown_path(const Conn& conn, std::string&& room) {
    const ParameterFilter& filter = filter_of(conn);
    auto hidden = [&](const std::string& name) { return filter.hides(name); };
    const Route* route = conn.route();
    if (!route || std::ranges::none_of(route->params, hidden)) return conn.path();
    // Written anew from the pattern, since the values stand in the path as they were encoded.
    std::string& out = room;
    std::size_t segment = 0;
    std::string_view pattern = route->pattern;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        const std::string_view part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(part.size());
        if (part.empty()) continue;
        const bool parameter = part.front() == ':' || part.front() == '*';
        out += '/';
        if (parameter && filter.hides(part.substr(1))) {
            out += Secret::mask;
        } else if (part.front() == '*') {
            out += conn.param(part.substr(1));
        } else {
            out += conn.segments()[segment];
        }
        ++segment;
    }
    return out;
}

std::string shown_parameters(const Conn& conn) {
    const detail::ConnState& state = conn.state();
    Json all = Json::object();
    for (std::size_t i = 0; i < path_parameters(conn); ++i)
        all.set(conn.route()->params[i], std::string(state.match.values[i]));
    if (!conn.query_string().empty()) {
        if (Result<const Json*> query = conn.try_query(); query && (*query)->is_object()) {
            for (const JsonMember& member : (*query)->as_object())
                all.set(member.key, member.value);
        }
    }
    if (state.body && state.body->params.is_object()) {
        for (const JsonMember& member : state.body->params.as_object())
            all.set(member.key, member.value);
    }
    if (all.as_object().empty()) return {};
    return cut(to_json(filter_of(conn).masked(all)), longest_text);
}

}  // namespace bennu
