#pragma once

#include <cstdint>
#include <string_view>

namespace bennu::net {

/// What a `Range` field asks for, of a body of known size (RFC 9110, 14).
struct RangeRequest {
    enum class Kind : std::uint8_t {
        whole,          ///< not a range of bytes, malformed, or several ranges: answer 200
        part,           ///< answer 206 with this part
        unsatisfiable,  ///< answer 416
    };
    Kind kind = Kind::whole;
    std::uint64_t first = 0;
    std::uint64_t length = 0;
};

/// Reads `bytes=a-b`, `bytes=a-` and `bytes=-n`. Several ranges at once are answered with the
/// whole, as RFC 9110 allows: multipart answers cost the server more than they save.
RangeRequest read_range(std::string_view field, std::uint64_t size);

}  // namespace bennu::net
