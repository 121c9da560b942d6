#pragma once

#include <cstdint>
#include <optional>

#include "bennu/base/time.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu {

/// What the header fields of a request may be; over it: 431. Sizes are in bytes. Zero: what the
/// endpoint lets in (`EndpointOptions::max_header_fields` and its neighbours).
struct HeadLimits {
    std::uint32_t fields = 0;       ///< how many
    std::uint32_t field_bytes = 0;  ///< of one, as `name: value`
    std::uint32_t bytes = 0;        ///< of all together, each with the end of its line

    bool any() const { return fields > 0 || field_bytes > 0 || bytes > 0; }
    bool admit(const net::Headers& headers) const;
    /// What is not set here is what `outer` says.
    HeadLimits within(const HeadLimits& outer) const;
};

/// What the routes of a scope let a request cost, unless they say otherwise themselves: see the
/// members of RouteOptions that have these names.
struct RouteLimits {
    std::optional<std::uint64_t> body_limit = {};
    HeadLimits head_limits = {};
    Duration time_limit = Duration::zero();
};

}  // namespace bennu
