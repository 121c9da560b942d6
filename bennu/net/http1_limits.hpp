#pragma once

#include <cstdint>

namespace bennu::net {

/// What one HTTP/1.1 request may cost us. Sizes are bytes. A parser keeps a pointer to its limits,
/// so they must outlive it; `Http1Limits::defaults()` lives for ever.
struct Http1Limits {
    std::uint32_t request_line = 8 * 1024;   ///< without its CRLF; over: 414
    std::uint32_t header_line = 8 * 1024;    ///< one field, without its CRLF; over: 431
    std::uint32_t header_bytes = 32 * 1024;  ///< all fields with their CRLFs; over: 431
    std::uint32_t header_count = 100;        ///< over: 431
    std::uint64_t body = 8'000'000;  ///< over: 413; `Http1Parser::body_limit` sets it per request
    std::uint32_t chunk_extension_bytes =
        4 * 1024;                            ///< of all chunks of one body together; over: 400
    std::uint32_t trailer_bytes = 4 * 1024;  ///< over: 431

    static const Http1Limits& defaults() {
        static constexpr Http1Limits limits{};
        return limits;
    }
};

}  // namespace bennu::net
