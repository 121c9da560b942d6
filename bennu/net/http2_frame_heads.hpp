#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace bennu::net {

/// Follows the frames of a connection from its preface on, and holds back the head of a frame until
/// it is whole: nghttp2 counts each piece of the head of a continuation as one more continuation.
class Http2FrameHeads {
  public:
    /// Calls `seen` with the type of each frame that begins, then `take` with what may be handed
    /// on; stops when `take` returns false.
    template <typename Seen, typename Take>
    void feed(std::string_view input, Seen seen, Take take) {
        if (!held_.empty()) {
            const std::size_t missing = std::min(head_size - held_.size(), input.size());
            held_.append(input.substr(0, missing));
            input.remove_prefix(missing);
            if (held_.size() < head_size) return;
            begin(held_, seen);
            if (!take(std::string_view(held_))) return;
            std::string().swap(held_);
        }
        std::size_t at = 0;
        while (true) {
            const std::size_t skipped = std::min<std::size_t>(left_, input.size() - at);
            at += skipped;
            left_ -= static_cast<std::uint32_t>(skipped);
            if (input.size() - at < head_size) break;
            begin(input.substr(at, head_size), seen);
            at += head_size;
        }
        held_ = input.substr(at);
        if (at > 0) take(input.substr(0, at));
    }

  private:
    static constexpr std::size_t head_size = 9;
    static constexpr std::uint32_t preface_size = 24;

    template <typename Seen>
    void begin(std::string_view head, Seen& seen) {
        auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head[i]); };
        left_ = static_cast<std::uint32_t>(byte(0) << 16 | byte(1) << 8 | byte(2));
        seen(byte(3));
    }

    std::uint32_t left_ = preface_size;  ///< of the frame in progress
    std::string held_;
};

}  // namespace bennu::net
