#include "bennu/web/socket_origins.hpp"

#include "bennu/web/origin.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;

/// The first line of what is left.
std::string line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    std::string text(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return text;
}

/// A page of the host in the pattern's place is listed, as long as nothing is said of its port.
void check_pattern(const SocketOrigins& origins, std::string_view pattern) {
    if (pattern.find_first_of("/:[]*") != std::string_view::npos) return;
    const std::string host(pattern);
    fuzz::require_that(origins.listed("https://" + host + ":1"), "its own host");
    fuzz::require_that(!origins.listed("https://x" + host), "another host");
}

}  // namespace

/// A pattern, an origin and the host of a request, each on a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const std::string pattern = line(rest), origin = line(rest), host = line(rest);
    // What was taken for the same host is in the origin as it is written.
    fuzz::require_that(
        !SocketOrigins::same_host(origin, host) || origin.size() > host_without_port(host).size(),
        "a host out of nothing");
    const Result<SocketOrigins> origins = SocketOrigins::make({.allowed = {pattern}});
    if (!origins) return 0;
    (void)origins->listed(origin);
    check_pattern(*origins, pattern);
    return 0;
}
