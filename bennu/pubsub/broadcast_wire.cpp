#include "bennu/pubsub/broadcast_wire.hpp"

#include <stdexcept>

#include "bennu/pubsub/mark.hpp"

namespace bennu {

namespace {

constexpr char version = 1;
constexpr char binary_flag = 1;
constexpr char marked_flag = 2;
constexpr std::size_t head_bytes = 6;

void append_length(std::string& out, std::size_t length) {
    if (length > 0xffff) throw std::length_error("a topic or event has at most 65,535 bytes");
    out.push_back(static_cast<char>(length & 0xff));
    out.push_back(static_cast<char>(length >> 8));
}

std::size_t read_length(std::string_view bytes) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) |
           static_cast<std::size_t>(static_cast<unsigned char>(bytes[1])) << 8;
}

Error malformed() {
    return Error(ErrorKind::invalid, "bad_broadcast", "these bytes are no broadcast");
}

}  // namespace

std::string encode_broadcast(const Broadcast& broadcast) {
    std::string_view topic = broadcast.topic().view(), event = broadcast.event();
    std::string out;
    out.reserve(head_bytes + topic.size() + event.size() + broadcast.data().size());
    out.push_back(version);
    out.push_back(broadcast.is_binary() ? binary_flag : broadcast.mark() ? marked_flag : '\0');
    append_length(out, topic.size());
    append_length(out, event.size());
    return out.append(topic).append(event).append(broadcast.data());
}

Result<Broadcast> decode_broadcast(std::string_view bytes) {
    if (bytes.size() < head_bytes || bytes[0] != version) return malformed();
    const bool binary = (bytes[1] & binary_flag) != 0, marked = (bytes[1] & marked_flag) != 0;
    const std::size_t topic = read_length(bytes.substr(2)), event = read_length(bytes.substr(4));
    bytes.remove_prefix(head_bytes);
    if (bytes.size() < topic + event) return malformed();
    if (binary && (topic > 255 || event > 255 || marked)) return malformed();
    std::string_view data = bytes.substr(topic + event);
    if (marked) {
        std::optional<Mark> mark = pubsub::read_mark(data);
        if (!mark) return malformed();
        return Broadcast(Topic(bytes.substr(0, topic)), std::string(bytes.substr(topic, event)),
                         std::string(data), *std::move(mark));
    }
    return Broadcast(Topic(bytes.substr(0, topic)), bytes.substr(topic, event),
                     binary ? Payload(Bytes::copy(data)) : Payload::from_text(std::string(data)));
}

}  // namespace bennu
