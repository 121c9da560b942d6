#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "bennu/base/record_json.hpp"

namespace bennu {

namespace detail {

template <std::size_t N>
struct PatternText {
    consteval PatternText(const char (&literal)[N]) {
        for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
    }
    constexpr std::string_view view() const { return {text, N - 1}; }
    char text[N];
};

consteval std::size_t count_params(std::string_view pattern) {
    std::size_t count = 0;
    for (std::size_t i = 1; i < pattern.size(); ++i) {
        count += pattern[i - 1] == '/' && (pattern[i] == ':' || pattern[i] == '*') ? 1u : 0u;
    }
    return count;
}

/// A pattern that some code makes links with; a list of them is there before `main`.
class LinkedPath {
  public:
    LinkedPath(const void* site, std::string_view pattern);
    const void* site;
    std::string_view pattern;
    const LinkedPath* next;
};

template <typename Site>
inline constexpr char site_key = 0;

std::string fill_path(std::string_view pattern, std::initializer_list<Json> values);

}  // namespace detail

/// A path that routes and links share, so that a link cannot lead to a route that there is not:
///
///     inline constexpr RoutePath<"/assets/:id"> asset_path;
///     router->get(asset_path, show);
///     redirect(conn, asset_path(asset.id));
///
/// An unknown name, or another number of parameters, does not compile; `Router::require_links`
/// makes it a start-up error that a path is linked to and not routed. The pattern is the whole
/// path, with the prefixes of scopes. In a program with several tables of routes, `Site` (any type,
/// it may be incomplete) says whose path it is.
template <detail::PatternText Pattern, typename Site = void>
class RoutePath {
  public:
    static constexpr std::string_view pattern() { return Pattern.view(); }
    constexpr operator std::string_view() const { return pattern(); }

    /// The path with these values (text, numbers, ids, dates, enums), encoded. What no request
    /// could carry (empty text, `.`, `..`, a slash in a `:parameter`) is a fault.
    template <typename... Values>
        requires(sizeof...(Values) == detail::count_params(Pattern.view()))
    std::string operator()(const Values&... values) const {
        static_cast<void>(&linked);
        return detail::fill_path(pattern(), {to_link(values)...});
    }

  private:
    template <typename T>
    static Json to_link(const T& value) {
        if constexpr (std::is_constructible_v<Json, const T&>) {
            return Json(value);
        } else {
            return to_json_value(&value, ops_of<T>);
        }
    }
    static inline const detail::LinkedPath linked{&detail::site_key<Site>, Pattern.view()};
};

}  // namespace bennu
