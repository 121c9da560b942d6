#include "bennu/pubsub/broadcast_wire.hpp"
#include "bennu/pubsub/durable.hpp"
#include "bennu/pubsub/hub/hub_frame.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;
using pubsub::HubFrameReader;

/// The frames of a stream as bytes again, and how it ended, when it comes in pieces of that size.
std::string read_all(std::string_view input, std::size_t piece, bool& malformed) {
    HubFrameReader reader;
    std::string seen;
    malformed = false;
    for (std::size_t at = 0; at < input.size() && !malformed; at += piece) {
        reader.receive(input.substr(at, piece));
        for (auto next = reader.next(); next.kind != HubFrameReader::Next::Kind::need_more;
             next = reader.next()) {
            malformed = next.kind == HubFrameReader::Next::Kind::malformed;
            if (malformed) break;
            append_hub_frame(seen, next.frame);
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    bool malformed = false, malformed_in_pieces = false;
    const std::string whole = read_all(input, std::max<std::size_t>(size, 1), malformed);
    const std::string pieces = read_all(input, 3, malformed_in_pieces);
    fuzz::require_that(whole == pieces && malformed == malformed_in_pieces,
                       "another splitting gives other frames");
    fuzz::require_that(input.starts_with(whole), "frames are not what was sent");

    if (Result<Broadcast> broadcast = decode_broadcast(input)) {
        Result<Broadcast> again = decode_broadcast(encode_broadcast(*broadcast));
        fuzz::require_that(again && again->topic() == broadcast->topic() &&
                               again->event() == broadcast->event() &&
                               again->data() == broadcast->data() &&
                               again->mark().epoch == broadcast->mark().epoch &&
                               again->mark().sequence == broadcast->mark().sequence,
                           "a broadcast changes on its way");
    }
    Result<Json> json = parse_json(input);
    if (auto position = json ? pubsub::read_position(*json) : std::nullopt) {
        fuzz::require_that(pubsub::read_position(pubsub::to_json_value(*position)) == position,
                           "a position changes on its way");
    }
    return 0;
}
