#include "bennu/web/negotiation.hpp"

#include <array>

#include "fuzz/input.hpp"

using namespace bennu;

/// The input is an `Accept` or `Accept-Encoding` header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view header(reinterpret_cast<const char*>(data), size);
    constexpr std::array<std::string_view, 4> types = {"application/json", "text/html", "text/csv",
                                                       "image/png"};
    int most = 0;
    for (std::string_view type : types) {
        const int quality = media_quality(header, type);
        fuzz::require_that(quality >= 0 && quality <= 1000, "a quality out of its range");
        most = std::max(most, quality);
    }
    const std::string_view chosen = choose_media(header, {types[0], types[1], types[2], types[3]});
    fuzz::require_that(chosen.empty() == (most == 0), "chosen, although nothing is wanted");
    if (!chosen.empty()) {
        fuzz::require_that(media_quality(header, chosen) == most, "not what is wanted most");
    }
    if (accepts_html(header)) {
        fuzz::require_that(media_quality(header, "text/html") > 0, "HTML that is not wanted");
    }
    for (std::string_view coding : {"gzip", "br", "zstd", "identity"}) {
        const int quality = encoding_quality(header, coding);
        fuzz::require_that(quality >= 0 && quality <= 1000, "a quality out of its range");
    }
    return 0;
}
