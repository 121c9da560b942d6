#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/net/websocket_deflate.hpp"

namespace bennu::net {

/// What a test's client writes and reads. The first byte of a frame is put together of these.
namespace ws {
inline constexpr int fin = 0x80, rsv1 = 0x40, rsv2 = 0x20, rsv3 = 0x10;
inline constexpr int continuation = 0, text = 1, binary = 2, closing = 8, ping = 9, pong = 10;

/// A masked frame.
std::string frame(int first, std::string_view payload, std::uint32_t mask = 0x01020304);
std::string close_frame(int code, std::string_view reason = {});
/// The frames of a server in words, as far as they have come: `text hi;pong x;close 1000`. Of a
/// payload the first 200 bytes.
std::string describe(std::string bytes, const DeflateAgreement* agreed = nullptr);
}  // namespace ws

}  // namespace bennu::net
