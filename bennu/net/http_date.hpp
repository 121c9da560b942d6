#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bennu/base/time.hpp"

namespace bennu::net {

/// `Date` in the form of RFC 9110 (`Sun, 06 Nov 1994 08:49:37 GMT`), formatted once per second. One
/// per shard.
class HttpDate {
  public:
    /// Valid until the next call.
    std::string_view at(Timestamp now);

  private:
    std::int64_t second_ = -1;
    std::array<char, 29> text_{};
};

/// Reads the three forms of RFC 9110, 5.6.7 (the fixed one, RFC 850's and asctime's), strictly.
/// `now` decides the century of RFC 850's two-digit years.
std::optional<Timestamp> parse_http_date(std::string_view text, Timestamp now);

}  // namespace bennu::net
