#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bennu {

using Sha1Digest = std::array<std::uint8_t, 20>;
using Sha256Digest = std::array<std::uint8_t, 32>;

/// SHA-1 is here for protocols that demand it (the WebSocket handshake), not for security.
Sha1Digest sha1(std::string_view bytes);
Sha256Digest sha256(std::string_view bytes);
Sha256Digest hmac_sha256(std::string_view key, std::string_view message);

/// HKDF with SHA-256 (RFC 5869): `size` bytes, at most 8160, that follow from the secret and tell
/// nothing about it. `info` says what they are for.
std::string hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info,
                        std::size_t size = 32);

/// AES-256-GCM: the ciphertext with its 16-byte tag. The key has 32 bytes, the nonce 12; a nonce
/// must never come twice under one key. `header` is authenticated, not encrypted.
std::string aes_gcm_seal(std::string_view key, std::string_view nonce, std::string_view header,
                         std::string_view plain);
/// Nothing when any bit of it is not what was sealed.
std::optional<std::string> aes_gcm_open(std::string_view key, std::string_view nonce,
                                        std::string_view header, std::string_view sealed);

/// Equality in a time that depends only on the lengths.
bool constant_time_equal(std::string_view a, std::string_view b);

/// A digest as text, for the encoders of bytes.hpp.
template <std::size_t N>
std::string_view as_text(const std::array<std::uint8_t, N>& digest) {
    return {reinterpret_cast<const char*>(digest.data()), N};
}

}  // namespace bennu
