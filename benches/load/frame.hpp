#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// Just enough of RFC 6455 to load a server, and none of Bennu's: what is measured must not measure
/// itself.
enum class Opcode : std::uint8_t { text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// One whole frame. A client's is masked, with a constant key: servers unmask at the same cost.
std::string client_frame(Opcode opcode, std::string_view payload);
std::string server_frame(Opcode opcode, std::string_view payload);

struct Frame {
    Opcode opcode{};
    bool masked = false;
    std::uint32_t mask = 0;
    std::string_view payload;  ///< still masked
    std::size_t size = 0;      ///< of the whole frame; 0: more bytes are needed
};
/// The frame at the front of `input`. Fragments are not expected from a server of small messages:
/// throws.
Frame read_frame(std::string_view input);

/// The payload in clear.
std::string unmask(const Frame& frame);

/// The value of a header of an HTTP head, by its lower-case name; empty when there is none.
std::string_view header(std::string_view head, std::string_view name);

}  // namespace bench
