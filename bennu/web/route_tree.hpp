#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu {

/// What a request must meet besides method and path. Equal ones mean the same requests.
struct RouteConditions {
    struct Check {
        std::uint8_t param;  ///< its number
        bool (*fits)(std::string_view text);
        bool operator==(const Check&) const = default;
    };
    std::string host = {};  ///< `*.example.com`: its subdomains; empty: any
    std::vector<Check> checks = {};

    bool empty() const { return host.empty() && checks.empty(); }
    bool operator==(const RouteConditions&) const = default;
};

/// The compiled matcher: a tree of segments that leads to route numbers. Knows nothing of actions.
class RouteTree {
  public:
    static constexpr std::size_t max_params = 8;
    static constexpr std::size_t methods = 10;

    /// One segment of a pattern.
    struct Part {
        enum class Kind : std::uint8_t { text, param, glob };
        Kind kind = Kind::text;
        std::string text;  ///< or the parameter's name
        bool operator==(const Part&) const = default;
    };
    /// `/assets/:id/*rest`; errors say what is wrong with it.
    static Result<std::vector<Part>> parse(std::string_view pattern);

    /// The number of the route that already answers these requests, or -1 when this one is new.
    int add(net::Method method, const std::vector<Part>& parts, int route,
            RouteConditions conditions = {});

    struct Found {
        int route = -1;
        /// Which methods the path has, as bits by number of the method; 0: no such path.
        std::uint32_t allowed = 0;
        std::uint8_t count = 0;
        bool glob = false;  ///< the last value is the number of the segment where the glob begins
        std::array<std::uint8_t, max_params> values{};  ///< numbers of segments
    };
    /// HEAD is found under GET when it has no route of its own. At most 255 segments count.
    Found find(net::Method method, std::span<const std::string_view> segments,
               std::string_view host = {}) const;

  private:
    struct Leaf {
        Leaf() { route.fill(-1); }
        std::array<std::int32_t, methods> route;  ///< the first of its method
        std::uint32_t allowed = 0;
        bool conditional = false;  ///< some route of it has conditions
    };
    /// Routes of one path and method are a list, those with more conditions first.
    struct Choice {
        RouteConditions conditions;
        std::int32_t next = -1;
    };
    struct Node {
        std::vector<std::pair<std::string, std::uint32_t>> texts;  // sorted
        std::int32_t param = -1;
        std::int32_t leaf = -1;
        std::int32_t glob = -1;
    };
    struct Search;

    std::uint32_t child(std::uint32_t node, const Part& part);
    std::int32_t leaf_at(std::int32_t& slot);
    bool descend(Search& search, std::uint32_t node, std::size_t at) const;
    bool settle(Search& search, std::int32_t leaf) const;
    bool settle_conditional(Search& search, const Leaf& leaf) const;
    bool accepts(const Search& search, std::int32_t route) const;

    std::vector<Node> nodes_{1};
    std::vector<Leaf> leaves_;
    std::vector<Choice> choices_;  ///< by route
};

}  // namespace bennu
