#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu::net {

/// Whether and how a WebSocket's messages are compressed (RFC 7692). Off by default: it costs CPU,
/// and compressing secrets together with what an attacker chose tells the attacker about them.
struct WebSocketDeflate {
    bool enabled = false;
    /// Messages refer to earlier ones: compresses better, and keeps about 300 KB for each socket.
    /// Otherwise the sockets of a shard share one compressor and keep nothing.
    bool context_takeover = false;
    /// Shorter messages are sent as they are.
    std::size_t min_size = 256;
    int level = 1;  ///< of zlib, 1 to 9
    /// A message may grow to so many times its compressed size, and to 16 KiB in any case; over it
    /// (or over `max_message`) the socket is closed with 1009.
    std::uint32_t max_ratio = 25;
};

/// What both sides agreed on in the handshake.
struct DeflateAgreement {
    bool server_takeover = false;
    bool client_takeover = false;
    std::uint8_t server_bits = 15;  ///< of the window that we compress with
    /// The value of our `Sec-WebSocket-Extensions`.
    std::string answer;
};

/// Picks the first offer (of all `Sec-WebSocket-Extensions` fields, joined by commas) that can be
/// met; offers that are malformed or ask for what is unknown are passed over, as RFC 7692 wants.
std::optional<DeflateAgreement> negotiate_deflate(std::string_view offers,
                                                  const WebSocketDeflate& options);

/// The compressor and decompressor of one socket. Without context takeover it borrows those of its
/// thread, and owns nothing.
class MessageDeflate {
  public:
    /// No message may become longer than `limit`.
    MessageDeflate(const DeflateAgreement& agreement, const WebSocketDeflate& options,
                   std::size_t limit);
    ~MessageDeflate();
    MessageDeflate(const MessageDeflate&) = delete;
    MessageDeflate& operator=(const MessageDeflate&) = delete;

    /// The payload of a compressed message.
    std::string compress(std::string_view message);
    /// The message in a compressed payload. `too_large` over the limit or the ratio, `invalid`
    /// for what is no deflate stream; the socket must then be closed.
    Result<std::string> decompress(std::string_view payload);
    std::size_t min_size() const { return options_.min_size; }

  private:
    struct Streams;
    DeflateAgreement agreement_;
    WebSocketDeflate options_;
    std::size_t limit_;
    std::unique_ptr<Streams> own_;
};

}  // namespace bennu::net
