#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace bennu {

using Sha1Digest = std::array<std::uint8_t, 20>;
using Sha256Digest = std::array<std::uint8_t, 32>;

/// SHA-1 is here for protocols that demand it (the WebSocket handshake), not for security.
Sha1Digest sha1(std::string_view bytes);
Sha256Digest sha256(std::string_view bytes);
Sha256Digest hmac_sha256(std::string_view key, std::string_view message);

/// Equality in a time that depends only on the lengths.
bool constant_time_equal(std::string_view a, std::string_view b);

/// A digest as text, for the encoders of bytes.hpp.
template <std::size_t N>
std::string_view as_text(const std::array<std::uint8_t, N>& digest) {
    return {reinterpret_cast<const char*>(digest.data()), N};
}

}  // namespace bennu
