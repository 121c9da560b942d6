#include "bennu/pubsub/presence_wire.hpp"
#include "fuzz/input.hpp"

using namespace bennu::presence::detail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    auto message = decode_tracker_message(input);
    if (!message) return 0;
    bennu::fuzz::require_that(encode_tracker_message(*message) == input,
                              "a message changes on its way");
    if (!message->delta) return 0;
    // Whatever comes, a state does not go back, and the same again changes nothing.
    PresenceState state;
    const Changes changes = state.merge(message->from, *message->delta);
    bennu::fuzz::require_that(changes.leaves.empty(), "what was never there has left");
    const Changes again = state.merge(message->from, *message->delta);
    bennu::fuzz::require_that(again.joins.empty() && again.leaves.empty(), "merged twice");
    bennu::fuzz::require_that(state.remove(message->from.name).size() == changes.joins.size(),
                              "not everything leaves");
    return 0;
}
