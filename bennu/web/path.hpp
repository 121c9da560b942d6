#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"

namespace bennu {

/// The decoded segments of a request's path. Plain ones are views into the path, which must outlive
/// this; nothing is allocated for paths of up to sixteen plain segments. Neither copied nor moved.
class PathSegments {
  public:
    PathSegments() = default;
    PathSegments(const PathSegments&) = delete;
    PathSegments& operator=(const PathSegments&) = delete;

    /// Follows the rules of `net::split_path`; a refused path leaves no segments.
    Result<> parse(std::string_view path);
    std::span<const std::string_view> all() const { return all_; }

  private:
    bool parse_plain(std::string_view path);

    std::array<std::string_view, 16> inline_;
    std::vector<std::string> decoded_;
    std::vector<std::string_view> many_;
    std::span<const std::string_view> all_;
};

}  // namespace bennu
