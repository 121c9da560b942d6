#include "bennu/base/keys.hpp"
#include "bennu/web/session/session_data.hpp"
#include "fuzz/input.hpp"

using namespace bennu;

/// The input is what a session's cookie holds, opened and not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const KeyRing keys(Secret(std::string(32, 'k')), "fuzz");
    std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz::require_that(!keys.open(text, {1000}, std::chrono::hours(1)),
                       "opened what nobody sealed");
    auto session = detail::SessionData::decode(text);
    if (!session) return 0;
    std::string written = session->encode();
    auto again = detail::SessionData::decode(written);
    fuzz::require_that(again.has_value(), "what was written is not read");
    fuzz::require_equal(again->encode(), written, "a session changes when it is written again");
    fuzz::require_that(session->created.ms >= 0 && session->seen.ms >= 0, "a time before time");
    return 0;
}
