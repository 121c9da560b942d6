#include "bennu/channel/handshake.hpp"

#include <algorithm>

#include "bennu/base/bytes.hpp"

namespace bennu::phoenix {

namespace {

constexpr std::string_view token_prefix = "base64url.bearer.phx.";

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// The client makes the token with `btoa`, so its alphabet is that of plain base64 in spite of the
/// name.
Result<std::string> decode_token(std::string_view text) {
    std::string url(text);
    std::ranges::replace(url, '+', '-');
    std::ranges::replace(url, '/', '_');
    return base64url_decode(url);
}

}  // namespace

Result<OfferedProtocols> read_protocols(std::string_view header) {
    OfferedProtocols offered;
    while (!header.empty()) {
        const std::size_t comma = header.find(',');
        std::string_view protocol = trim(header.substr(0, comma));
        header = comma == std::string_view::npos ? std::string_view() : header.substr(comma + 1);
        if (protocol.empty()) continue;
        offered.any = true;
        if (protocol == "phoenix") offered.phoenix = true;
        if (protocol.starts_with(token_prefix)) {
            Result<std::string> token = decode_token(protocol.substr(token_prefix.size()));
            if (!token)
                return Error(ErrorKind::invalid, "bad_auth_token", "the auth token is no base64");
            offered.auth_token = *std::move(token);
        }
    }
    return offered;
}

std::optional<Version> version_of(std::string_view vsn) {
    int dots = 0;
    char previous = '.';
    for (char c : vsn) {
        if (c == '.' ? previous == '.' : c < '0' || c > '9') return std::nullopt;
        dots += c == '.';
        previous = c;
    }
    if (dots != 2 || previous == '.') return std::nullopt;
    if (vsn.starts_with("1.")) return Version::v1;
    if (vsn.starts_with("2.")) return Version::v2;
    return std::nullopt;
}

}  // namespace bennu::phoenix
