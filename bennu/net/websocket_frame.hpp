#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bennu/base/utf8.hpp"

namespace bennu::net {

enum class Opcode : std::uint8_t {
    continuation = 0x0,
    text = 0x1,
    binary = 0x2,
    close = 0x8,
    ping = 0x9,
    pong = 0xA,
};

/// Close codes of RFC 6455 that we send or that never travel (`none`, `abnormal`).
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported_data = 1003;
inline constexpr std::uint16_t none = 1005;
inline constexpr std::uint16_t abnormal = 1006;
inline constexpr std::uint16_t bad_text = 1007;
inline constexpr std::uint16_t policy = 1008;
inline constexpr std::uint16_t too_big = 1009;
inline constexpr std::uint16_t internal_error = 1011;
inline constexpr std::uint16_t service_restart = 1012;
inline constexpr std::uint16_t try_again_later = 1013;

/// Whether a peer may put that code into a close frame.
bool may_travel(std::uint16_t code);
}  // namespace close_code

/// Our reasons beside `too_big`: a message over `WebSocketOptions::max_message`, and one that goes
/// over that or over `WebSocketDeflate::max_ratio` as it is inflated.
inline constexpr std::string_view message_too_big = "message too big";
inline constexpr std::string_view message_grows_too_much = "the message grows too much";
/// Our reasons beside `policy`.
inline constexpr std::string_view too_many_fragments = "too many fragments";
inline constexpr std::string_view too_many_control_frames = "too many control frames";

/// Appends one unmasked frame with FIN set: what a server sends.
void encode_frame(std::string& out, Opcode opcode, std::string_view payload);
/// Appends one masked frame with FIN set: what a client sends. The key must be fresh and
/// unpredictable.
void encode_masked_frame(std::string& out, Opcode opcode, std::string_view payload,
                         std::uint32_t mask_key);
/// One frame of a longer message, masked when a key is given (0 means none; for tests and streaming
/// senders).
struct FrameOptions {
    bool fin = true;
    bool compressed = false;  ///< RSV1, on the first frame of a message
    std::uint32_t mask_key = 0;
};
void encode_fragment(std::string& out, Opcode opcode, std::string_view payload,
                     FrameOptions options);
/// Appends a close frame. A code that may not travel is sent as an empty close. The reason is cut
/// to 123 bytes at a character's edge.
void encode_close(std::string& out, std::uint16_t code, std::string_view reason = {});
void encode_masked_close(std::string& out, std::uint16_t code, std::string_view reason,
                         std::uint32_t mask_key);

/// A whole unmasked frame, to be made once and written to every subscriber.
std::string prepare_broadcast_frame(std::string_view payload, Opcode opcode = Opcode::text);

/// XORs `data` with the key's four bytes, the first at `phase` (0 to 3). The key is in the order of
/// memory.
void apply_mask(std::span<char> data, std::uint32_t mask_key, unsigned phase = 0);

struct WebSocketLimits {
    std::uint64_t message =
        64 * 1024;                ///< bytes of one message, all fragments together; over: 1009
    std::uint16_t fragments = 0;  ///< frames of one message; over: 1008; 0: any
};

struct WebSocketEvent {
    enum class Kind : std::uint8_t {
        need_more,  ///< read more bytes; `wanted` says how many the input must hold at least
        text,       ///< a whole message, valid UTF-8
        binary,
        ping,  ///< answer with a pong that carries `payload`
        pong,
        close,  ///< the peer closes; `payload` is its reason, `code` is `close_code::none` when it
                ///< gave none
        error,  ///< send a close frame with `code` and `payload` (a reason of ours), then drop the
                ///< connection
    };

    Kind kind = Kind::need_more;
    bool compressed = false;  ///< of a text or binary message: still to be decompressed, and a text
                              ///< still to be checked for UTF-8
    std::uint16_t code = 0;
    std::size_t consumed = 0;  ///< discard that many bytes after `payload` was used
    std::size_t wanted = 0;  ///< of need_more: the size that the input must reach, as far as known
    std::string_view payload;
};

/// Reads RFC 6455 frames from bytes, for the server's side (frames must be masked) or the client's
/// (must not).
///
/// Call `next` with all bytes that were received and not yet consumed; they are unmasked in place,
/// and the next call must begin with the same unconsumed bytes as this one left them (they may have
/// moved). `payload` is a view into the input, or, for a fragmented message, into the decoder until
/// the next call. Only fragmented messages allocate, and their memory is given back when the
/// message ends. Limits, reserved bits, lengths and UTF-8 are judged as soon as their bytes arrive.
/// Any splitting of the bytes gives the same events. After `close` or `error` all input is
/// swallowed.
class WebSocketDecoder {
  public:
    enum class Role : std::uint8_t { server, client };

    explicit WebSocketDecoder(Role role, WebSocketLimits limits = {})
        : message_limit_(limits.message), role_(role), fragment_limit_(limits.fragments) {}

    WebSocketEvent next(std::span<char> input);

    /// The handshake agreed on compression: messages may come with RSV1.
    void allow_compressed() { compression_ = true; }
    void message_limit(std::uint64_t bytes) { message_limit_ = bytes; }
    /// Nothing of a message is pending: no fragment, no part of a frame, no memory of one that is
    /// through.
    bool idle() const {
        return fragments_ == Opcode::continuation && frame_done_ == 0 && !clear_message_;
    }

  private:
    struct Header;

    WebSocketEvent read_frame(std::span<char> input, bool& again);
    std::string_view judge(const Header& header) const;
    WebSocketEvent finish(const Header& header, std::string_view payload, std::size_t consumed,
                          bool& again);
    WebSocketEvent finish_close(std::string_view payload, std::size_t consumed);
    WebSocketEvent fail(std::uint16_t code, std::string_view reason);

    std::uint64_t message_limit_;
    std::string message_;         // fragments so far
    std::size_t frame_done_ = 0;  // payload bytes of the current frame already unmasked and checked
    Utf8Validator utf8_;
    Opcode fragments_ =
        Opcode::continuation;  // kind of the message in fragments; continuation: none
    Role role_;
    bool clear_message_ : 1 = false;
    bool closed_ : 1 = false;
    bool compression_ : 1 = false;
    bool compressed_ : 1 = false;  // the message in fragments
    std::uint16_t fragment_limit_;
    std::uint16_t fragment_count_ = 0;  // of that message
};

}  // namespace bennu::net
