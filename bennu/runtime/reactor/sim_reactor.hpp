#pragma once

#include "bennu/runtime/reactor/sim_network.hpp"

namespace bennu {

/// One shard's view of the simulated network.
class SimReactor final : public Reactor {
  public:
    explicit SimReactor(SimNetwork& network) : network_(network) {}

    Instant now() override { return network_.now(); }
    Timestamp wall_now() override { return network_.wall_now(); }
    Result<SocketHandle> listen(const SocketAddress& address, ListenOptions options) override;
    Result<SocketHandle> adopt_listener(int inherited) override { return inherited; }
    Result<SocketHandle> connect(const SocketAddress& address) override;
    IoResult accept(SocketHandle listener, SocketHandle& accepted) override;
    IoResult read(SocketHandle socket, std::span<char> into) override;
    IoResult write(SocketHandle socket, std::span<const char> bytes, More more) override;
    IoResult send_file(SocketHandle socket, int file, std::uint64_t offset,
                       std::size_t size) override;
    void shutdown_write(SocketHandle socket) override;
    void close(SocketHandle socket) override;
    SocketAddress local_address(SocketHandle socket) override;
    SocketAddress peer_address(SocketHandle socket) override;
    Result<> watch(SocketHandle socket, std::uint64_t token, bool exclusive) override;
    void unwatch(SocketHandle socket) override;
    std::size_t poll(Instant until, std::span<Event> events) override;
    void wake() override {}

    void report(std::uint64_t token, Readiness ready) { pending_.push_back({token, ready}); }

  private:
    SimNetwork& network_;
    std::vector<Event> pending_;
};

}  // namespace bennu
