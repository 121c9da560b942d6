#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/base/json.hpp"
#include "bennu/base/result.hpp"
#include "bennu/pubsub/broadcast.hpp"

/// The V2 frames of npm `phoenix`: `[join_ref, ref, topic, event, payload]` as JSON text, and the
/// binary form with one-byte lengths. Refs are a Json that is null or a string.
namespace bennu::phoenix {

/// One frame from a client. `topic`, `event` and `data` are views into the frame, or into this
/// object when they had escapes, so it does not move.
struct ClientMessage {
    ClientMessage() = default;
    ClientMessage(const ClientMessage&) = delete;
    ClientMessage& operator=(const ClientMessage&) = delete;

    Json join_ref;
    Json ref;
    std::string_view topic;
    std::string_view event;
    Json payload;           ///< of a text frame; null for a binary one
    std::string_view data;  ///< of a binary frame
    bool binary = false;

    std::string unescaped_topic;
    std::string unescaped_event;
};

/// Strict: exactly five elements, refs null or strings of at most 255 bytes, topic and event
/// strings. Errors are `invalid` with code `bad_frame`, for a close with 1011.
Result<> decode_text(std::string_view frame, ClientMessage& message, JsonLimits limits = {});
/// The client's push: `00`, four lengths, join_ref, ref, topic, event, data.
Result<> decode_binary(std::string_view frame, ClientMessage& message);

/// Appends `[join_ref,ref,"topic","event",payload]`.
void encode_push(std::string& out, const Json& join_ref, std::string_view topic,
                 std::string_view event, const Payload& payload);
/// Appends a `phx_reply` with `status` before `response`.
void encode_reply(std::string& out, const Json& join_ref, const Json& ref, std::string_view topic,
                  std::string_view status, const Payload& response);
/// `phx_error` and `phx_close` carry the join_ref in both places.
void encode_channel_crash(std::string& out, const Json& join_ref, std::string_view topic);
void encode_close(std::string& out, const Json& join_ref, std::string_view topic);

/// The binary forms. A join_ref, ref, topic, event or status over 255 bytes throws
/// std::length_error (a fault).
void encode_binary_push(std::string& out, const Json& join_ref, std::string_view topic,
                        std::string_view event, std::string_view data);
void encode_binary_reply(std::string& out, const Json& join_ref, const Json& ref,
                         std::string_view topic, std::string_view status, std::string_view data);

/// A broadcast's payload of the WebSocket message: `[null,null,"topic","event",payload]`, or its
/// binary form `02…`.
std::string broadcast_message(const Broadcast& broadcast);

}  // namespace bennu::phoenix
