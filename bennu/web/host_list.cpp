#include "bennu/web/host_list.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "bennu/base/ascii.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/origin.hpp"
#include "bennu/web/protect/ip_address.hpp"

namespace bennu {

namespace {

/// `box.corp.example` is also `box` to its neighbours, and `box.local` where names are multicast.
std::vector<std::string> names_of_this_machine() {
    std::array<char, 256> text{};
    if (::gethostname(text.data(), text.size() - 1) != 0) return {};
    const std::string name(text.data());
    const std::string first = name.substr(0, name.find('.'));
    if (first.empty()) return {};
    return {name, first, first + ".local"};
}

bool is_ip_address(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return IpAddress::parse(host).has_value();
}

bool is_name(std::string_view text) {
    if (text.starts_with("*.")) text.remove_prefix(2);
    return plain_host(text) && host_without_port(text) == text;
}

}  // namespace

Result<HostList> HostList::make(const EndpointOptions& options) {
    HostList list;
    // Whoever develops has no public name yet; in production an app may be meant for any.
    list.any_ = options.hosts.empty() && options.environment != Environment::dev;
    for (const std::string& host : options.hosts) {
        if (host == "*") {
            list.any_ = true;
        } else if (is_name(host)) {
            list.patterns_.push_back(host);
        } else {
            return Error(ErrorKind::invalid, "bad_host",
                         "\"" + host +
                             "\" is no name of a host: write app.example, *.app.example for all "
                             "names below it, or * for any host, without scheme and port");
        }
    }
    if (!list.any_) list.machine_ = names_of_this_machine();
    return list;
}

bool HostList::admits(std::string_view host) const {
    if (any_ || host.empty()) return true;
    const std::string_view port = host.substr(host_without_port(host).size());
    if (!port.empty() && port.front() != ':') return false;  // `[::1].evil.example`
    host.remove_suffix(port.size());
    // The root of the names may be written.
    if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
    auto is = [&](const std::string& pattern) { return host_matches(pattern, host); };
    return is_local_name(host) || host_matches("*.test", host) || is_ip_address(host) ||
           std::ranges::any_of(patterns_, is) || std::ranges::any_of(machine_, is);
}

}  // namespace bennu
