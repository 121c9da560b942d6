#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/net/http_message.hpp"

namespace bennu {

/// What one proxy said about who came to it. Empty parts: it did not say.
struct ForwardedHop {
    std::string client;  ///< `for`: an address, without port and brackets; or a name we cannot use
    std::string scheme;  ///< `proto`, in lower case
    std::string host;
    bool operator==(const ForwardedHop&) const = default;
};

/// All values of a `Forwarded` header (RFC 7239), the nearest proxy last. Nothing when any part of
/// it is malformed.
std::optional<std::vector<ForwardedHop>> parse_forwarded(std::string_view value);
/// The same from X-Forwarded-For, -Proto and -Host. A scheme or host that there is one of is that
/// of every hop; of several, each belongs to the hop at its place from the end. Without any address
/// there is one hop, of which scheme and host alone are known, if either is.
std::vector<ForwardedHop> parse_x_forwarded(std::string_view clients, std::string_view schemes,
                                            std::string_view hosts);
/// All fields of that name as one list.
std::string joined_header(const net::Headers& headers, std::string_view name);

}  // namespace bennu
