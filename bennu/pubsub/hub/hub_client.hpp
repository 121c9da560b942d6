#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bennu/net/tcp_stream.hpp"
#include "bennu/pubsub/hub/hub_frame.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::pubsub {

struct HubClientOptions {
    SocketAddress address;
    std::string token;
    /// This node among those of the hub; another one after each start. 0: drawn.
    std::uint64_t node = 0;
    /// What comes from other nodes, in the order of each sender. Runs in the client's process.
    Function<void(std::uint64_t from, std::string_view data) const> receive;
    /// Messages of other nodes may have been lost: the connection was, or this node did not read.
    Function<void() const> gap;
    /// Nothing more comes from this node: its connection with the hub ended.
    Function<void(std::uint64_t node) const> gone = [](std::uint64_t) {};
    /// How much may wait to be sent, connected or not. More is dropped, and counted.
    std::size_t max_queued = 16 * 1024 * 1024;
    Duration first_retry = std::chrono::milliseconds(20);
    Duration longest_retry = std::chrono::seconds(1);
};

/// A node's connection with the hub of its launcher. It comes back by itself; what is published in
/// between is lost, as on any bus that keeps nothing, and both sides learn that there is a gap.
class HubClient : public Server {
  public:
    explicit HubClient(HubClientOptions options);

    /// To one node, or (0) to all others.
    struct Send {
        std::uint64_t to = 0;
        std::string data;
    };
    /// Answered once the hub knows this node: whatever others send from then on comes here, or is
    /// said to be missing.
    struct Met {
        using Reply = bool;
    };
    struct Retry {};

    Task<Result<>> init();
    void handle(Send message);
    void handle(Retry) { connect(); }
    void handle(Met, From<bool> from);
    void handle_io(std::uint8_t tag, Readiness ready);
    static constexpr MailboxOptions mailbox{.limit = 1'000'000, .overflow = Overflow::reject};

  private:
    void connect();
    void lost();
    void established();
    void met();
    void read();
    /// False: they are not from a hub.
    bool take(std::span<char> bytes);
    void flush();

    HubClientOptions options_;
    net::TcpStream stream_{-1};
    HubFrameReader reader_;
    Duration retry_;
    bool connecting_ = false;
    bool up_ = false;
    bool was_up_ = false;
    bool met_ = false;
    bool may_lack_ = false;
    bool flush_due_ = false;
    std::vector<From<bool>> waiting_;
};

}  // namespace bennu::pubsub
