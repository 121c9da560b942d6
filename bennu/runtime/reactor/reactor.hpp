#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/base/time.hpp"

namespace bennu {

/// A socket of one reactor: a file descriptor in the real one, an index in the simulated one. -1:
/// none.
using SocketHandle = int;

/// Where to listen or to connect: `host` is a numeric IPv4 or IPv6 address (names are resolved
/// elsewhere), or `unix:` and a Unix socket's path (`@name`: without a file; not in the simulator).
struct SocketAddress {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    bool is_unix() const { return host.starts_with("unix:"); }
    std::string unix_path() const { return host.substr(5); }
    std::string to_string() const;
    bool operator==(const SocketAddress&) const = default;
};

/// What a socket is ready for. Readiness is reported once per change ("edge"): after it, read or
/// write until the reactor says `would_block`, or fewer bytes came than were asked for.
struct Readiness {
    bool readable = false;
    bool writable = false;
    bool hangup = false;  ///< the peer closed, or the socket failed: read on until it says so
};

/// Whether more is written right away: the kernel may then wait for it to fill a packet.
enum class More : std::uint8_t { none, follows };

/// The outcome of one read or write, without allocation.
struct IoResult {
    enum class Kind : std::uint8_t { done, would_block, closed, failed };
    Kind kind = Kind::done;
    std::size_t bytes = 0;  ///< for `done`
    int error = 0;          ///< errno for `failed`
};

struct ListenOptions {
    int backlog = 4096;
    bool reuse_port = false;
    /// Permissions of a Unix socket's file.
    std::uint32_t unix_mode = 0660;
};

/// Time and I/O as one shard sees them. The real one is epoll; the simulated one has virtual time
/// and sockets in memory. Used by the shard's own thread only, but for `wake`. Everything that
/// touches the outside world goes through here: that is what makes a whole application testable
/// under a seed.
class Reactor {
  public:
    virtual ~Reactor() = default;

    virtual Instant now() = 0;
    virtual Timestamp wall_now() = 0;

    virtual Result<SocketHandle> listen(const SocketAddress& address, ListenOptions options) = 0;
    /// Uses a listening socket that was opened elsewhere (by the launcher). Takes ownership of a
    /// duplicate.
    virtual Result<SocketHandle> adopt_listener(int inherited) = 0;
    /// Starts to connect; the socket becomes writable when it is done, or hangs up.
    virtual Result<SocketHandle> connect(const SocketAddress& address) = 0;
    /// The next waiting connection; -1 with `would_block` when there is none.
    virtual IoResult accept(SocketHandle listener, SocketHandle& accepted) = 0;
    virtual IoResult read(SocketHandle socket, std::span<char> into) = 0;
    virtual IoResult write(SocketHandle socket, std::span<const char> bytes,
                           More more = More::none) = 0;
    /// Sends up to `size` bytes of an open file from `offset`, without a copy where the kernel can.
    /// `done` with 0 bytes: the file is at its end.
    virtual IoResult send_file(SocketHandle socket, int file, std::uint64_t offset,
                               std::size_t size) = 0;
    /// Says that no more will be written.
    virtual void shutdown_write(SocketHandle socket) = 0;
    virtual void close(SocketHandle socket) = 0;
    virtual SocketAddress local_address(SocketHandle socket) = 0;
    virtual SocketAddress peer_address(SocketHandle socket) = 0;

    /// Reports readiness of the socket with this token from now on; a socket that is watched
    /// already goes over to the new token. `exclusive` is for a listener whose kernel socket
    /// several shards share: level-triggered, one of them is woken.
    virtual Result<> watch(SocketHandle socket, std::uint64_t token, bool exclusive = false) = 0;
    /// Ends that. Closing ends it too, except where others hold the same kernel socket (listeners).
    virtual void unwatch(SocketHandle socket) = 0;

    struct Event {
        std::uint64_t token = 0;
        Readiness ready;
    };
    /// Waits until something is ready, `wake` is called or `until` passes; at most `events.size()`
    /// events. Returns how many. `until` in the past polls.
    virtual std::size_t poll(Instant until, std::span<Event> events) = 0;
    /// Ends a `poll` in progress, or the next one. Any thread.
    virtual void wake() = 0;
};

}  // namespace bennu
