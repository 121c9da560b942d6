#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bennu/base/random.hpp"
#include "bennu/runtime/reactor/reactor.hpp"

namespace bennu {

/// What the simulated network does to bytes on their way.
struct SimFaults {
    Duration min_latency = std::chrono::microseconds(50);
    Duration max_latency = std::chrono::milliseconds(2);
    /// Chance that one write resets its connection.
    double reset = 0;
    /// Chance that a read or write handles only a part of what was asked.
    double partial = 0.3;
};

/// Virtual time and sockets in memory for all shards of one simulation: an event queue ordered by
/// time, then by the order of scheduling. Single-threaded.
class SimNetwork {
  public:
    explicit SimNetwork(std::uint64_t seed, SimFaults faults = {})
        : random_(seed), faults_(faults) {}

    Instant now() const { return now_; }
    Timestamp wall_now() const { return {wall_start_ms_ + now_.ns / 1'000'000}; }
    Random& random() { return random_; }
    SimFaults& faults() { return faults_; }
    /// A digest of everything that happened: equal seeds give equal digests.
    std::uint64_t digest() const { return digest_; }
    void note(std::uint64_t event) {
        digest_ = (digest_ ^ event) * 0x100000001B3ULL + 0x9E3779B97F4A7C15ULL;
    }

    /// Runs `event` after `delay` of virtual time.
    void after(Duration delay, std::function<void()> event);
    /// The next event's time; Instant::max() when there is none.
    Instant next_event() const;
    /// Moves time forward to `at` and runs the events that are due by then.
    void advance(Instant at);

    /// Cuts every connection whose either end matches the port; what is under way is lost.
    void reset_connections(std::uint16_t port);
    /// While a port is partitioned, nothing reaches it and nothing leaves it; connections stay
    /// open.
    void partition(std::uint16_t port, bool cut);

    std::unique_ptr<Reactor> make_reactor();

  private:
    friend class SimReactor;
    struct Endpoint {
        bool open = true;
        bool listener = false;
        bool connected = false;
        bool failed = false;
        bool peer_closed = false;
        int peer = -1;
        SocketAddress local, remote;
        std::deque<int> backlog;
        std::string inbox;
        std::size_t in_flight = 0;
        Instant last_arrival;
        class SimReactor* owner = nullptr;
        std::vector<std::pair<class SimReactor*, std::uint64_t>> watchers;
    };
    int open(Endpoint endpoint);
    Endpoint* find(int handle);
    void notify(int handle, Readiness ready);
    void deliver(int to, std::string bytes);
    void deliver_close(int to);
    void reset(int handle);
    Instant arrival(Endpoint& to);
    bool cut(const Endpoint& endpoint) const;

    Instant now_{1'000'000'000};
    std::int64_t wall_start_ms_ = 1'767'225'600'000;  // 2026-01-01
    Random random_;
    SimFaults faults_;
    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
    std::uint64_t order_ = 0;
    std::uint64_t digest_ = 0xcbf29ce484222325ULL;
    std::vector<std::unique_ptr<Endpoint>> endpoints_;
    std::vector<std::uint16_t> partitioned_;
    std::uint16_t next_port_ = 40'000;
};

}  // namespace bennu
