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
#include "bennu/runtime/simulation/fault_source.hpp"

namespace bennu {

/// How the simulated network behaves on a good day; what goes wrong is `FaultOptions`.
struct SimNetworkOptions {
    Duration min_latency = std::chrono::microseconds(50);
    Duration max_latency = std::chrono::milliseconds(2);
    /// Chance that what one write sends arrives in two pieces, or more.
    double partial = 0.3;
};

/// Which way a partition stops: `inbound` is towards the port.
enum class Cut : std::uint8_t { both, inbound, outbound };

/// Virtual time and sockets in memory for all shards of one simulation: an event queue ordered by
/// time, then by the order of scheduling. Connections are as TCP's: bytes arrive whole and in order
/// or not at all. Single-threaded.
class SimNetwork {
  public:
    SimNetwork(std::uint64_t seed, SimNetworkOptions options, FaultSource& faults)
        : random_(seed), options_(options), faults_(faults) {}

    Instant now() const { return now_; }
    Duration since_start() const { return now_ - start; }
    Timestamp wall_now() const;
    Random& random() { return random_; }
    FaultSource& faults() { return faults_; }
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
    /// Moves time forward and runs nothing: what is due by then is late.
    void skip_to(Instant at) { now_ = std::max(now_, at); }
    /// Moves the wall clock only, forwards or backwards.
    void move_wall_clock(Duration by) { wall_offset_ += by; }

    /// Cuts every connection whose either end has the port; what is under way is lost.
    void reset_connections(std::uint16_t port);
    /// Nothing passes to or from a port: bytes wait, connections stay open, new ones are not
    /// established.
    void partition(std::uint16_t port, Cut cut = Cut::both);
    /// Ends it; what waited arrives.
    void heal(std::uint16_t port);
    /// The ports that somebody listens at.
    std::vector<std::uint16_t> listening_ports() const;

    std::unique_ptr<Reactor> make_reactor();

  private:
    friend class SimReactor;
    /// Bytes, or the end of them.
    struct Arrival {
        std::string bytes;
        bool close = false;
    };
    struct Endpoint {
        bool open = true;
        bool listener = false;
        bool connected = false;
        bool failed = false;
        bool peer_closed = false;
        bool loses_all = false;  ///< what is written to it never arrives
        int peer = -1;
        SocketAddress local, remote;
        std::deque<int> backlog;
        std::string inbox;
        std::deque<Arrival> held;  ///< by a partition
        std::size_t in_flight = 0;
        Instant last_arrival;
        std::vector<std::pair<class SimReactor*, std::uint64_t>> watchers;
    };
    int open(Endpoint endpoint);
    Endpoint* find(int handle);
    int listener_at(std::uint16_t port);
    void notify(int handle, Readiness ready);
    /// Asks the other side; again after `retry` while it cannot be reached.
    void establish(int handle, Duration retry);
    void send(int from, std::string_view bytes);
    void send_close(int from);
    void arrive(int to, Arrival arrival);
    void take(int to, Arrival arrival);
    void reset(int handle);
    Instant arrival(Endpoint& to, Duration delay = {});
    bool cut_towards(const Endpoint& endpoint) const;
    std::string name_of(const Endpoint& endpoint) const;

    static constexpr Instant start{1'000'000'000};
    Instant now_ = start;
    Duration wall_offset_{};
    Random random_;
    SimNetworkOptions options_;
    FaultSource& faults_;
    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
    std::uint64_t order_ = 0;
    std::uint64_t digest_ = 0xcbf29ce484222325ULL;
    std::vector<std::unique_ptr<Endpoint>> endpoints_;
    std::map<std::uint16_t, Cut> partitions_;
    std::uint16_t next_port_ = 40'000;
};

}  // namespace bennu
