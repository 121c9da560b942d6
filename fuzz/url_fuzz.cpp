#include "bennu/net/url.hpp"

#include "bennu/base/utf8.hpp"
#include "fuzz/input.hpp"

using namespace bennu;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz::require_equal(*net::percent_decode(net::percent_encode(text)), std::string(text),
                        "percent encoding");

    if (auto segments = net::split_path(text)) {
        std::string path = "/";
        for (const auto& segment : *segments) {
            fuzz::require_that(
                valid_utf8(segment) && segment != ".." && segment.find('/') == std::string::npos,
                "a segment that should have been refused");
            path += net::percent_encode(segment) + "/";
        }
        auto again = net::split_path(path);
        fuzz::require_that(again && *again == *segments,
                           "a path reads differently when encoded again");
    }
    if (auto parameters = net::parse_query(text, {.parameters = 50, .depth = 4})) {
        auto again = parse_json(to_json(*parameters));
        fuzz::require_that(again && *again == *parameters, "parameters are not plain JSON");
        (void)net::encode_query(*parameters);
    }
    return 0;
}
