#include "bennu/net/websocket_deflate.hpp"
#include "fuzz/input.hpp"

// The first byte says how sockets keep their context; the rest is an offer, a payload and a
// message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bennu;
    if (size == 0) return 0;
    constexpr std::size_t limit = 20'000;
    net::WebSocketDeflate options{.enabled = true, .context_takeover = (data[0] & 1) != 0};
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    net::negotiate_deflate(bytes, options);

    auto agreed = *net::negotiate_deflate("permessage-deflate", options);
    net::MessageDeflate peer(agreed, options, limit), server(agreed, options, limit);
    if (auto message = peer.decompress(bytes)) {
        fuzz::require_that(message->size() <= limit, "a message over the limit");
    }
    for (int i = 0; i < 3 && bytes.size() <= limit; ++i) {
        auto back = server.decompress(server.compress(bytes));
        // The ratio may refuse what repeats itself; what comes back is what was sent.
        if (back) fuzz::require_equal(*back, std::string(bytes), "compressed and back");
        if (!back) return 0;
    }
    return 0;
}
