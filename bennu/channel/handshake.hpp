#pragma once

#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu::phoenix {

/// What a client offers in `Sec-WebSocket-Protocol`.
struct OfferedProtocols {
    bool any = false;
    bool phoenix = false;
    std::string auth_token;  ///< decoded from `base64url.bearer.phx.…`; empty: none
};
/// Error: a token that is no base64.
Result<OfferedProtocols> read_protocols(std::string_view header);

/// Whether a `vsn` is one that the V2 serializer speaks: `2.x.y`.
bool speaks_version(std::string_view vsn);

}  // namespace bennu::phoenix
