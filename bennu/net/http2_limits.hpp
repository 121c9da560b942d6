#pragma once

#include <cstdint>

namespace bennu::net {

/// What one HTTP/2 connection may cost us; the sizes of a head are those of `Http1Limits`. Who goes
/// over a limit that an honest client has no reason to reach gets GOAWAY (ENHANCE_YOUR_CALM).
struct Http2Limits {
    /// Requests under way at once; as many again may be those whose client gave them up while their
    /// handler still works. More are refused unprocessed (REFUSED_STREAM). 0: no HTTP/2.
    std::uint32_t streams = 100;
    /// Of a streamed body, received and not read yet.
    std::uint32_t stream_window = 128 * 1024;
    std::uint32_t connection_window = 1024 * 1024;
    /// Of all gathered bodies that are on their way in. Beyond that only the oldest request gets
    /// on, as far as its own limit goes; the others may fill their `stream_window`, and wait.
    std::uint64_t gathered_bytes = 32 * 1024 * 1024;
    /// Streams that the client resets or makes us reset: so many at once, and so many per second.
    std::uint32_t resets = 200;
    std::uint32_t resets_per_second = 20;
    /// Frames that ask for no answer worth having: settings, pings, priorities, empty data, window
    /// updates beyond those that our data explain.
    std::uint32_t idle_frames = 1000;
    std::uint32_t idle_frames_per_second = 100;
};

}  // namespace bennu::net
