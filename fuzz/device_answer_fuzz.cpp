// The answer to a device's handshake: the same whether it comes at once or byte by byte.
#include "clients/device/handshake.hpp"
#include "clients/device/url.hpp"
#include "fuzz/input.hpp"

using namespace bennu;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using Kind = device::HandshakeAnswer::Kind;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const device::Handshake handshake{.authority = "example.com",
                                      .target = "/socket/websocket?vsn=2.0.0",
                                      .key = "dGhlIHNhbXBsZSBub25jZQ==",
                                      .auth_token = size % 2 ? "token" : "",
                                      .headers = {}};
    const auto whole = device::read_answer(input, handshake);
    fuzz::require_that(whole.consumed <= size, "more consumed than there is");
    for (std::size_t i = 0; i < size; ++i) {
        const auto part = device::read_answer(input.substr(0, i), handshake);
        if (part.kind == Kind::incomplete) continue;
        fuzz::require_that(part.kind == whole.kind && part.consumed == whole.consumed &&
                               part.problem == whole.problem,
                           "an answer that changes with what follows");
        break;
    }
    if (const auto url = device::parse_url(input)) {
        const std::string text = (url->secure ? "wss://" : "ws://") + url->authority() + url->path;
        const auto again = device::parse_url(text);
        fuzz::require_that(again && again->authority() == url->authority() &&
                               again->port == url->port && again->path == url->path,
                           "a URL reads differently when written again");
        const std::string target = url->target({{"a", std::string(input)}});
        fuzz::require_that(target.find_first_of(" \r\n") == std::string::npos,
                           "a target that would break the request");
    }
    return 0;
}
