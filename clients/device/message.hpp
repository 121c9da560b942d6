#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bennu::device {

/// What a WebSocket message holds.
enum class FrameKind { text, binary };

/// One frame of the channel protocol, version 2. Views into a received message live as long as it.
struct Message {
    std::optional<std::string> join_ref;
    std::optional<std::string> ref;
    std::string topic;
    std::string event;
    std::string_view payload;  ///< raw JSON, or the bytes of a binary frame
    bool binary = false;

    /// Of a `phx_reply`: how it went, and the raw JSON (or bytes) of the answer.
    std::string status;
    std::string_view response;
};

/// Reads a text frame `[join_ref, ref, topic, event, payload]`; nothing when it is anything else.
std::optional<Message> read_text_frame(std::string_view text);
/// Reads a binary frame as a server sends it: push (0), reply (1) or broadcast (2).
std::optional<Message> read_binary_frame(std::string_view bytes);

/// `payload` must be JSON.
std::string write_text_frame(const std::optional<std::string>& join_ref, std::string_view ref,
                             std::string_view topic, std::string_view event,
                             std::string_view payload);
/// A push with bytes; nothing when a name is longer than 255 bytes.
std::optional<std::string> write_binary_frame(std::string_view join_ref, std::string_view ref,
                                              std::string_view topic, std::string_view event,
                                              std::string_view bytes);

}  // namespace bennu::device
