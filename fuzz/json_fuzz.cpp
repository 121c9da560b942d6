// What parse_json accepts must survive a round trip, byte for byte the second time, and its output
// must be UTF-8.
#include <cstdint>
#include <cstdlib>

#include "bennu/base/json.hpp"
#include "bennu/base/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const bennu::Result<bennu::Json> parsed = bennu::parse_json(text);
    if (!parsed) {
        if (parsed.error().code().empty() || parsed.error().message().empty()) std::abort();
        return 0;
    }
    if (!bennu::valid_utf8(text)) std::abort();
    const std::string written = bennu::to_json(*parsed);
    if (!bennu::valid_utf8(written)) std::abort();
    const bennu::Result<bennu::Json> again = bennu::parse_json(written);
    if (!again || !(*again == *parsed) || bennu::to_json(*again) != written) std::abort();
    return 0;
}
