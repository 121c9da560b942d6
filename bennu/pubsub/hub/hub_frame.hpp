#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bennu::pubsub {

/// What travels between a node and the hub: `length of the rest, u32 LE · kind · peer, u64 LE ·
/// data`. The hub does not look into the data, so nodes of different programs may share it.
struct HubFrame {
    enum class Kind : std::uint8_t {
        hello = 1,    ///< node → hub, first: `peer` is the node's own id, `data` the token
        message = 2,  ///< to the hub: `peer` is for whom (0: all others); from it: who sent it
        /// Hub → node: something before this did not reach the node. With a `peer`: what comes from
        /// that node ends here (a node of an older program takes it for a gap, which does no harm).
        gap = 3,
    };
    Kind kind = Kind::message;
    std::uint64_t peer = 0;
    std::string_view data;
};

/// Longer ones are malformed.
inline constexpr std::size_t hub_frame_limit = 16 * 1024 * 1024;

void append_hub_frame(std::string& out, const HubFrame& frame);

/// Takes frames off the front of a stream of bytes; any splitting of them gives the same frames.
class HubFrameReader {
  public:
    struct Next {
        enum class Kind : std::uint8_t { need_more, frame, malformed };
        Kind kind = Kind::need_more;
        HubFrame frame = {};  ///< its data views into the reader, until the next call
    };
    void receive(std::string_view bytes);
    Next next();

  private:
    std::string in_;
    std::size_t taken_ = 0;
};

}  // namespace bennu::pubsub
