#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu::net {

/// An absolute http or https URL, taken apart by the same parser that the transport uses, so that
/// what was checked is what is asked.
struct ClientUrl {
    std::string scheme;  ///< `http` or `https`
    std::string user;    ///< user name and password, as they stand; empty: none
    std::string host;    ///< in small letters, numeric IPv4 in dotted form, IPv6 without brackets
    std::uint16_t port = 0;
    std::string path;
    std::string query;
    /// Whether the host was written as its number would be printed, or is a name.
    bool plain_host = true;

    /// `https://example.com:443`: what pools, limits and circuit breakers are kept for.
    std::string origin() const;
};

/// Errors are `invalid` with code `bad_url`; they do not repeat the URL, which may hold secrets.
Result<ClientUrl> parse_client_url(std::string_view url);
/// What `reference` (absolute or relative) means on the page `base`.
Result<std::string> resolve_client_url(std::string_view base, std::string_view reference);
/// The URL with its query's parameters set to `query` as well (already encoded).
std::string with_query(std::string url, std::string_view query);

}  // namespace bennu::net
