#include "bennu/net/proxy_protocol.hpp"
#include "fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bennu;
    using Kind = net::ProxyHeader::Kind;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    net::ProxyHeader whole = net::read_proxy_header(input);
    fuzz::require_that(whole.consumed <= size, "consumed more than there was");
    if (whole.kind == Kind::need_more) {
        fuzz::require_that(size < net::proxy_header_limit, "wants more than its limit");
    }
    // A part of it says the same, or that it needs more; once malformed, it stays so.
    for (std::size_t cut = 0; cut < std::min<std::size_t>(size, 400); ++cut) {
        net::ProxyHeader part = net::read_proxy_header(input.substr(0, cut));
        if (part.kind == Kind::need_more) continue;
        fuzz::require_that(part.kind == whole.kind, "a part says otherwise");
        fuzz::require_that(part.consumed == whole.consumed, "a part is of another length");
        fuzz::require_that(part.client == whole.client, "a part names another client");
    }
    return 0;
}
