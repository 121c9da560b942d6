#include "bennu/channel/serializer.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;

/// What was read, as a client would send it.
std::string text_again(const phoenix::ClientMessage& m) {
    return to_json(Json::array({m.join_ref, m.ref, m.topic, m.event, m.payload}));
}

std::string binary_again(const phoenix::ClientMessage& m) {
    std::string frame(1, '\0'), parts;
    for (std::string_view part :
         {m.join_ref.is_null() ? std::string_view() : m.join_ref.as_string(),
          m.ref.is_null() ? std::string_view() : m.ref.as_string(), m.topic, m.event}) {
        frame += static_cast<char>(part.size());
        parts += part;
    }
    return frame + parts + std::string(m.data);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view frame(reinterpret_cast<const char*>(data), size);
    phoenix::ClientMessage text, binary;
    if (phoenix::decode_text(frame, text)) {
        // Strict means: whatever is accepted is a JSON array of five by the parser's own rules.
        Result<Json> whole = parse_json(frame, {.max_depth = 65});
        fuzz::require_that(whole && whole->is_array() && whole->size() == 5,
                           "accepted what is no frame");
        fuzz::require_equal(to_json(*whole), text_again(text), "the parts differ from the whole");
        phoenix::ClientMessage again;
        std::string encoded = text_again(text);
        fuzz::require_that(bool(phoenix::decode_text(encoded, again)),
                           "what was read cannot be read again");
        fuzz::require_equal(text_again(text), text_again(again), "reading again differs");
    }
    if (phoenix::decode_binary(frame, binary)) {
        fuzz::require_equal(std::string(frame), binary_again(binary),
                            "binary parts differ from the whole");
        std::string reply;
        phoenix::encode_binary_reply(reply, binary.join_ref, binary.ref, binary.topic, "ok",
                                     binary.data);
        fuzz::require_that(reply.size() == size + 2 - binary.event.size(),
                           "a reply of the wrong size");
    }
    return 0;
}
