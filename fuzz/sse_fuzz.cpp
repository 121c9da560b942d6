#include "bennu/net/client/sse_parser.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;

struct Events {
    void feed(std::string_view piece) {
        if (failed) return;
        const Result<> fed = parser.feed(piece);
        while (auto event = parser.take()) {
            fuzz::require_that(event->data.size() <= most && event->id.size() <= most,
                               "an event is longer than allowed");
            fuzz::require_that(
                event->id.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
                "an id that cannot be sent");
            fuzz::require_that(!event->event.empty() && event->data.find('\r') == std::string::npos,
                               "an event that should have been read otherwise");
            trace += event->event + "|" + event->data + "|" + event->id + "\n";
        }
        // What was whole before the failure counts.
        if (!fed) {
            failed = true;
            trace += std::string(fed.error().code());
        }
    }

    static constexpr std::size_t most = 64;
    net::SseParser parser{most};
    std::string trace;
    bool failed = false;
};

}  // namespace

/// The input, cut at places that its first bytes say, gives the same events as in one piece.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::CutInput input(data, size);
    Events whole, cut;
    whole.feed(input.bytes);
    input.for_each_piece([&](std::string_view piece) { cut.feed(piece); });
    fuzz::require_equal(whole.trace, cut.trace, "cut input gives other events");
    fuzz::require_that(whole.parser.last_id() == cut.parser.last_id(), "and another id");
    return 0;
}
