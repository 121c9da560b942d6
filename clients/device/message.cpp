#include "clients/device/message.hpp"

#include <array>

#include "clients/device/json_scan.hpp"

namespace bennu::device {

namespace {

constexpr std::size_t longest_name = 255;

bool read_ref(JsonScanner& scan, std::optional<std::string>& ref) {
    if (scan.next_is('n')) return scan.null();
    return scan.string(ref.emplace());
}

bool read_reply(Message& message) {
    const auto status = json_member(message.payload, "status");
    const auto response = json_member(message.payload, "response");
    if (!status || !response) return false;
    message.response = *response;
    return JsonScanner(*status).string(message.status);
}

/// Takes names whose lengths stand in a row before them off the front.
template <std::size_t count>
std::optional<std::array<std::string, count>> take_names(std::string_view& bytes) {
    if (bytes.size() < count) return std::nullopt;
    std::array<std::string, count> names;
    std::string_view rest = bytes.substr(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto size = static_cast<unsigned char>(bytes[i]);
        if (rest.size() < size) return std::nullopt;
        names[i] = rest.substr(0, size);
        rest.remove_prefix(size);
    }
    bytes = rest;
    return names;
}

std::optional<std::string> ref_of(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

std::optional<Message> read_text_frame(std::string_view text) {
    JsonScanner scan(text);
    Message message;
    const bool whole = scan.character('[') && read_ref(scan, message.join_ref) &&
                       scan.character(',') && read_ref(scan, message.ref) && scan.character(',') &&
                       scan.string(message.topic) && scan.character(',') &&
                       scan.string(message.event) && scan.character(',') &&
                       scan.value(message.payload) && scan.character(']') && scan.end();
    if (!whole || (message.event == "phx_reply" && !read_reply(message))) return std::nullopt;
    return message;
}

std::optional<Message> read_binary_frame(std::string_view bytes) {
    if (bytes.empty()) return std::nullopt;
    const char kind = bytes[0];
    bytes.remove_prefix(1);
    Message message;
    message.binary = true;
    if (kind == 0) {
        auto names = take_names<3>(bytes);
        if (!names) return std::nullopt;
        message.join_ref = ref_of(std::move((*names)[0]));
        message.topic = std::move((*names)[1]);
        message.event = std::move((*names)[2]);
        message.payload = bytes;
    } else if (kind == 1) {
        auto names = take_names<4>(bytes);
        if (!names) return std::nullopt;
        message.join_ref = ref_of(std::move((*names)[0]));
        message.ref = ref_of(std::move((*names)[1]));
        message.topic = std::move((*names)[2]);
        message.event = "phx_reply";
        message.status = std::move((*names)[3]);
        message.response = bytes;
    } else if (kind == 2) {
        auto names = take_names<2>(bytes);
        if (!names) return std::nullopt;
        message.topic = std::move((*names)[0]);
        message.event = std::move((*names)[1]);
        message.payload = bytes;
    } else {
        return std::nullopt;
    }
    return message;
}

std::string write_text_frame(const std::optional<std::string>& join_ref, std::string_view ref,
                             std::string_view topic, std::string_view event,
                             std::string_view payload) {
    std::string out = "[";
    if (join_ref) {
        append_json(out, *join_ref);
    } else {
        out += "null";
    }
    for (const std::string_view part : {ref, topic, event}) {
        out += ',';
        append_json(out, part);
    }
    out += ',';
    out += payload;
    out += ']';
    return out;
}

std::optional<std::string> write_binary_frame(std::string_view join_ref, std::string_view ref,
                                              std::string_view topic, std::string_view event,
                                              std::string_view bytes) {
    std::string out(1, '\0');
    for (const std::string_view name : {join_ref, ref, topic, event}) {
        if (name.size() > longest_name) return std::nullopt;
        out += static_cast<char>(name.size());
    }
    for (const std::string_view part : {join_ref, ref, topic, event, bytes}) out += part;
    return out;
}

}  // namespace bennu::device
