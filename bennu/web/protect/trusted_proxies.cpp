#include "bennu/web/protect/trusted_proxies.hpp"

#include <algorithm>

#include "bennu/web/conn_state.hpp"
#include "bennu/web/origin.hpp"
#include "bennu/web/protect/forwarded.hpp"

namespace bennu {

namespace {

std::vector<ForwardedHop> read_hops(const net::Headers& headers, ForwardingHeaders which) {
    if (which == ForwardingHeaders::forwarded) {
        std::string value = joined_header(headers, "forwarded");
        if (value.empty()) return {};
        return parse_forwarded(value).value_or(std::vector<ForwardedHop>());
    }
    return parse_x_forwarded(joined_header(headers, "x-forwarded-for"),
                             joined_header(headers, "x-forwarded-proto"),
                             joined_header(headers, "x-forwarded-host"));
}

}  // namespace

TrustedProxies::TrustedProxies(std::vector<std::string> addresses, ForwardingHeaders headers)
    : addresses_(std::move(addresses)), headers_(headers) {}

Result<> TrustedProxies::start(const EndpointOptions&) {
    ranges_.clear();
    for (const std::string& address : addresses_) {
        if (address == "unix") {
            unix_ = true;
            continue;
        }
        Result<Cidr> range = Cidr::parse(address);
        if (!range) return std::move(range).error();
        ranges_.push_back(*range);
    }
    return {};
}

bool TrustedProxies::trusted(std::string_view text) const {
    std::optional<IpAddress> address = IpAddress::parse(text);
    return address && std::ranges::any_of(
                          ranges_, [&](const Cidr& range) { return range.contains(*address); });
}

void TrustedProxies::before(const Conn& conn) const {
    const std::string& peer = conn.peer().host;
    if (!trusted(peer) && !(unix_ && !IpAddress::parse(peer))) return;
    std::vector<ForwardedHop> hops = read_hops(conn.head().headers, headers_);
    // From the nearest proxy back to the first address that is none of ours. Of a client without
    // an address that can be read, scheme and host are still a proxy's word; what is before it is
    // nobody's.
    const ForwardedHop* client = nullptr;
    std::optional<IpAddress> known;
    for (std::size_t i = hops.size(); i-- > 0;) {
        client = &hops[i];
        const std::optional<IpAddress> address = IpAddress::parse(client->client);
        if (address) known = address;
        if (!address || !trusted(client->client)) break;
    }
    if (!client) return;
    auto& state = conn.state();
    state.client = std::make_unique<detail::ConnState::Client>();
    if (known) state.client->ip = known->to_string();
    if (client->scheme == "https") state.client->scheme = Scheme::https;
    if (client->scheme == "http") state.client->scheme = Scheme::http;
    if (plain_host(client->host) && client->host != conn.host()) {
        state.client->host = client->host;
        state.reroute = true;
    }
}

}  // namespace bennu
