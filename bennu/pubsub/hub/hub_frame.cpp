#include "bennu/pubsub/hub/hub_frame.hpp"

namespace bennu::pubsub {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t head_bytes = 1 + 8;

template <typename T>
void append_number(std::string& out, T number) {
    for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

template <typename T>
T read_number(std::string_view bytes) {
    T number = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        number |= static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return number;
}

bool known(std::uint8_t kind) {
    return kind >= static_cast<std::uint8_t>(HubFrame::Kind::hello) &&
           kind <= static_cast<std::uint8_t>(HubFrame::Kind::gap);
}

}  // namespace

void append_hub_frame(std::string& out, const HubFrame& frame) {
    append_number(out, static_cast<std::uint32_t>(head_bytes + frame.data.size()));
    out.push_back(static_cast<char>(frame.kind));
    append_number(out, frame.peer);
    out.append(frame.data);
}

void HubFrameReader::receive(std::string_view bytes) {
    in_.erase(0, taken_);
    taken_ = 0;
    in_.append(bytes);
}

HubFrameReader::Next HubFrameReader::next() {
    std::string_view rest = std::string_view(in_).substr(taken_);
    if (rest.empty()) {
        // An idle connection keeps no memory.
        std::string().swap(in_);
        taken_ = 0;
    }
    if (rest.size() < length_bytes) return {};
    const auto length = read_number<std::uint32_t>(rest);
    if (length < head_bytes || length > hub_frame_limit) return {Next::Kind::malformed};
    if (rest.size() > length_bytes && !known(static_cast<std::uint8_t>(rest[length_bytes])))
        return {Next::Kind::malformed};
    if (rest.size() < length_bytes + length) return {};
    taken_ += length_bytes + length;
    std::string_view frame = rest.substr(length_bytes, length);
    return {Next::Kind::frame,
            {.kind = static_cast<HubFrame::Kind>(frame[0]),
             .peer = read_number<std::uint64_t>(frame.substr(1)),
             .data = frame.substr(head_bytes)}};
}

}  // namespace bennu::pubsub
