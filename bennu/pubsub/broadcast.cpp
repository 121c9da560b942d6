#include "bennu/pubsub/broadcast.hpp"

#include <stdexcept>

namespace bennu {

Broadcast::Broadcast(Topic topic, std::string_view event, const Payload& payload) {
    std::string data;
    if (payload.is_binary()) {
        if (topic.view().size() > 255 || event.size() > 255) {
            throw std::length_error("topic and event of a binary broadcast have at most 255 bytes");
        }
        data = payload.bytes();
    } else {
        payload.write(data);
    }
    data_ = make_shared_value<Data>(std::move(topic), std::string(event), std::move(data),
                                    payload.is_binary());
}

Broadcast::Broadcast(Topic topic, std::string event, std::string data, Mark mark)
    : data_(make_shared_value<Data>(std::move(topic), std::move(event), std::move(data), false,
                                    std::move(mark))) {}

const Topic& Broadcast::topic() const {
    return data_->topic;
}
std::string_view Broadcast::event() const {
    return data_->event;
}
bool Broadcast::is_binary() const {
    return data_->binary;
}
const Mark& Broadcast::mark() const {
    return data_->mark;
}
std::string_view Broadcast::data() const {
    return data_->data;
}

const Json& Broadcast::payload() const {
    std::call_once(data_->parsed, [this] {
        if (data_->binary) return;
        // What `Payload` wrote is valid JSON, however large or deep; only `Payload::from_text`
        // could break that.
        Result<Json> json =
            parse_json(data_->data, {.max_depth = 1000, .max_bytes = data_->data.size()});
        if (json) data_->payload = *std::move(json);
    });
    return data_->payload;
}

const std::string& Broadcast::encoded(Wire wire, std::string (*encode)(const Broadcast&)) const {
    Encoding& encoding = data_->encodings[static_cast<std::size_t>(wire)];
    std::call_once(encoding.once, [&] { encoding.text = encode(*this); });
    return encoding.text;
}

}  // namespace bennu
