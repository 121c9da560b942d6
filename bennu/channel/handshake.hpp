#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/channel/serializer.hpp"

namespace bennu::phoenix {

/// What a client offers in `Sec-WebSocket-Protocol`.
struct OfferedProtocols {
    bool any = false;
    bool phoenix = false;
    std::string auth_token;  ///< decoded from `base64url.bearer.phx.…`; empty: none
};
/// Error: a token that is no base64.
Result<OfferedProtocols> read_protocols(std::string_view header);

/// The frames that a `vsn` asks for: `1.x.y` or `2.x.y`. Nothing: no version that is spoken.
std::optional<Version> version_of(std::string_view vsn);

}  // namespace bennu::phoenix
