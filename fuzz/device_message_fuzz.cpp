// What a device reads: frames from whoever it is connected to.
#include "bennu/base/json.hpp"
#include "bennu/base/utf8.hpp"
#include "clients/device/json_scan.hpp"
#include "clients/device/message.hpp"
#include "clients/device/position.hpp"
#include "fuzz/input.hpp"

using namespace bennu;

namespace {

bool is_ref(const Json& json) {
    return json.is_null() || json.is_string();
}

/// The house's own parser takes it for a frame.
bool is_frame(const Json& json) {
    return json.is_array() && json.size() == 5 && is_ref(json[0]) && is_ref(json[1]) &&
           json[2].is_string() && json[3].is_string() && json[3] != Json("phx_reply");
}

void check_text(std::string_view frame) {
    const Result<Json> whole = parse_json(frame, {.max_depth = 60});
    const auto message = device::read_text_frame(frame);
    fuzz::require_that(!whole || !is_frame(*whole) || message.has_value(), "refused a frame");
    if (!message) return;
    fuzz::require_that(device::is_json(message->payload), "a payload that is no JSON");
    if (whole) {
        fuzz::require_that((*whole)[2] == Json(message->topic), "another topic");
        fuzz::require_that((*whole)[3] == Json(message->event), "another event");
        fuzz::require_equal(to_json((*whole)[4]),
                            to_json(*parse_json(message->payload, {.max_depth = 60})),
                            "another payload");
    }
    const std::string written =
        device::write_text_frame(message->join_ref, message->ref.value_or(""), message->topic,
                                 message->event, message->payload);
    const auto again = device::read_text_frame(written);
    fuzz::require_that(again && again->topic == message->topic && again->event == message->event &&
                           again->payload == message->payload &&
                           again->join_ref == message->join_ref && again->status == message->status,
                       "what was written reads differently");

    device::Position position;
    device::note_handled(position, message->payload);
    fuzz::require_that(position.empty() || !device::is_new(position, message->payload),
                       "a handled message is still new");
    if (position.empty())
        position = device::read_join(message->payload, device::Asked::no).position;
    fuzz::require_that(device::read_position(device::write_position(position)) == position,
                       "a position reads differently");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view frame(reinterpret_cast<const char*>(data), size);
    if (valid_utf8(frame)) check_text(frame);
    if (const auto message = device::read_binary_frame(frame)) {
        const std::size_t names = (message->join_ref ? message->join_ref->size() : 0) +
                                  (message->ref ? message->ref->size() : 0) +
                                  message->topic.size() +
                                  (frame[0] == 1 ? message->status.size() : message->event.size());
        const std::size_t lengths = frame[0] == 0 ? 3 : frame[0] == 1 ? 4 : 2;
        const std::string_view rest = frame[0] == 1 ? message->response : message->payload;
        fuzz::require_that(1 + lengths + names + rest.size() == size, "bytes were lost");
    }
    return 0;
}
