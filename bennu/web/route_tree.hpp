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
    int add(net::Method method, const std::vector<Part>& parts, int route);

    struct Found {
        int route = -1;
        /// Which methods the path has, as bits by number of the method; 0: no such path.
        std::uint32_t allowed = 0;
        std::uint8_t count = 0;
        bool glob = false;  ///< the last value is the number of the segment where the glob begins
        std::array<std::uint8_t, max_params> values{};  ///< numbers of segments
    };
    /// HEAD is found under GET when it has no route of its own. At most 255 segments count.
    Found find(net::Method method, std::span<const std::string_view> segments) const;

  private:
    struct Leaf {
        Leaf() { route.fill(-1); }
        std::array<std::int32_t, methods> route;
        std::uint32_t allowed = 0;
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

    std::vector<Node> nodes_{1};
    std::vector<Leaf> leaves_;
};

}  // namespace bennu
