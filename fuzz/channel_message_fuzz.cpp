#include "bennu/channel/serializer.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;

/// What was read, as a client would send it.
std::string text_again(const phoenix::ClientMessage& m) {
    return to_json(Json::array({m.join_ref, m.ref, m.topic, m.event, m.payload}));
}

/// The same as an object of V1.
std::string object_again(const phoenix::ClientMessage& m) {
    return to_json(Json::object({{"topic", m.topic},
                                 {"event", m.event},
                                 {"payload", m.payload},
                                 {"ref", m.ref},
                                 {"join_ref", m.join_ref}}));
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
    const Result<> read = phoenix::decode_text(frame, text);
    if (!read && read.error().code() == phoenix::unreadable_payload) {
        // It is answered, so it must be clear which message it is.
        fuzz::require_that(!text.topic.empty() || !text.event.empty() || frame.contains("\"\""),
                           "a payload of no message");
        Result<Json> whole = parse_json(frame, {.max_depth = 65});
        fuzz::require_that(!whole, "refused what can be read");
    }
    if (read) {
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
    phoenix::ClientMessage object;
    if (phoenix::decode_v1(frame, object)) {
        Result<Json> whole = parse_json(frame, {.max_depth = 65});
        fuzz::require_that(whole && whole->is_object() && (*whole)["topic"] == Json(object.topic) &&
                               (*whole)["payload"] == object.payload,
                           "accepted what is no object of V1");
        phoenix::ClientMessage again;
        const std::string encoded = object_again(object);
        fuzz::require_that(bool(phoenix::decode_v1(encoded, again)),
                           "what was read cannot be read again");
        fuzz::require_equal(encoded, object_again(again), "reading again differs");
        // What the server writes is JSON, whatever the names hold.
        std::string reply;
        phoenix::encode_reply(reply, phoenix::Version::v1, object.join_ref, object.ref,
                              object.topic, "ok", object.payload);
        fuzz::require_that(bool(parse_json(reply, {.max_depth = 70})), "a reply that is no JSON");
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
