#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/base/json.hpp"
#include "bennu/base/result.hpp"
#include "bennu/pubsub/broadcast.hpp"

/// The frames of npm `phoenix`. V2: `[join_ref, ref, topic, event, payload]` as JSON text, and the
/// binary form with one-byte lengths; refs are a Json that is null or a string. V1, of older
/// clients: `{"topic", "event", "payload", "ref"}`, text only; refs may be integers too.
namespace bennu::phoenix {

/// Which of them a socket speaks, as its client said with `vsn`.
enum class Version : std::uint8_t { v1, v2 };
constexpr std::string_view to_string(Version version) {
    return version == Version::v1 ? "v1" : "v2";
}

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

/// The code of an error that leaves the message known: everything but its payload was read.
inline constexpr std::string_view unreadable_payload = "unreadable_payload";

/// Strict: exactly five elements, refs null or strings of at most 255 bytes, topic and event
/// strings. Errors are `invalid` with code `bad_frame`, for a close with 1011; or, of a payload
/// that is JSON but more than we take (too deep, one key twice, a number out of range),
/// `unreadable_payload`, for an error as the reply.
Result<> decode_text(std::string_view frame, ClientMessage& message, JsonLimits limits = {});
/// An object with the four members of V1, and perhaps a `join_ref`; others are skipped.
Result<> decode_v1(std::string_view frame, ClientMessage& message, JsonLimits limits = {});
/// The client's push: `00`, four lengths, join_ref, ref, topic, event, data.
Result<> decode_binary(std::string_view frame, ClientMessage& message);

/// Appends `[join_ref,null,"topic","event",payload]`.
void encode_push(std::string& out, Version version, const Json& join_ref, std::string_view topic,
                 std::string_view event, const Payload& payload);
/// Appends a `phx_reply` with `status` before `response`.
void encode_reply(std::string& out, Version version, const Json& join_ref, const Json& ref,
                  std::string_view topic, std::string_view status, const Payload& response);
/// `phx_error` and `phx_close` carry the join_ref in both places.
void encode_channel_crash(std::string& out, Version version, const Json& join_ref,
                          std::string_view topic);
void encode_close(std::string& out, Version version, const Json& join_ref, std::string_view topic);

/// The binary forms, of V2 alone. A join_ref, ref, topic, event or status over 255 bytes throws
/// std::length_error (a fault).
void encode_binary_push(std::string& out, const Json& join_ref, std::string_view topic,
                        std::string_view event, std::string_view data);
void encode_binary_reply(std::string& out, const Json& join_ref, const Json& ref,
                         std::string_view topic, std::string_view status, std::string_view data);

/// A broadcast as the client gets it: `[null,null,"topic","event",payload]`, the binary form `02…`,
/// or the object of V1, for which there must be no binary payload.
std::string broadcast_message(Version version, const Broadcast& broadcast);

}  // namespace bennu::phoenix
