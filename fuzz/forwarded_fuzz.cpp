#include "bennu/web/protect/forwarded.hpp"

#include "bennu/web/protect/ip_address.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

void check_forwarded(std::string_view text) {
    auto hops = parse_forwarded(text);
    if (!hops) return;
    std::string written;
    for (const ForwardedHop& hop : *hops) {
        // Brackets keep the ports of addresses apart from the addresses.
        bool v6 = hop.client.find(':') != std::string::npos && hop.client[0] != '[';
        written += written.empty() ? "" : ", ";
        written += "for=" + quoted(v6 ? "[" + hop.client + "]" : hop.client);
        if (!hop.scheme.empty()) written += ";proto=" + quoted(hop.scheme);
        if (!hop.host.empty()) written += ";host=" + quoted(hop.host);
        if (v6 && hop.client.find(']') != std::string::npos) return;
    }
    auto again = parse_forwarded(written);
    fuzz::require_that(again && *again == *hops, "hops read differently when written again");
}

void check_range(std::string_view text) {
    if (auto address = IpAddress::parse(text)) {
        auto again = IpAddress::parse(address->to_string());
        fuzz::require_that(again && *again == *address, "an address has two forms");
        auto alone = Cidr::parse(text);
        fuzz::require_that(alone && alone->contains(*address), "an address is not its own range");
    }
    auto range = Cidr::parse(text);
    auto base = IpAddress::parse(text.substr(0, text.find('/')));
    fuzz::require_that(!range || (base && range->contains(*base)), "a range without its first");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    check_forwarded(text);
    check_range(text);
    std::string_view second = text.substr(text.size() / 2);
    auto hops = parse_x_forwarded(text, second, second);
    fuzz::require_that(hops.size() <= text.size(), "hops out of nothing");
    return 0;
}
