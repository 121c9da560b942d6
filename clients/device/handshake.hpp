#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bennu::device {

/// The request that opens a WebSocket. With an auth token it offers the two subprotocols of the
/// channel protocol.
struct Handshake {
    std::string authority{};
    std::string target{};
    std::string key{};  ///< base64 of 16 random bytes
    std::string auth_token{};
    /// Further header lines, each ended by CR LF.
    std::string headers{};

    std::string request() const;
};

/// What the server answered so far.
struct HandshakeAnswer {
    enum class Kind {
        incomplete,
        accepted,
        refused,  ///< another status than 101, or an answer that breaks RFC 6455
    };
    Kind kind = Kind::incomplete;
    std::size_t consumed = 0;  ///< bytes of the head; what follows are frames
    std::string problem;       ///< of a refusal
};

/// Reads the answer from the front of `input`; a head over 16 KiB is refused.
HandshakeAnswer read_answer(std::string_view input, const Handshake& handshake);

/// `Sec-WebSocket-Accept` of a key, and base64 with padding.
std::string accept_of(std::string_view key);
std::string base64(std::string_view bytes);

}  // namespace bennu::device
