#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "benches/load/dialect.hpp"
#include "benches/load/latencies.hpp"

namespace bench {

/// What a mode wants to know of the sockets while it drives them.
class Listener {
  public:
    virtual ~Listener() = default;
    virtual void on_message(std::size_t socket, Meaning meaning, Nanoseconds at) = 0;
    /// A message that means nothing to the dialect.
    virtual void on_other(std::size_t, std::string_view /*payload*/, Nanoseconds /*at*/) {}
};

/// Many WebSockets on one thread and one epoll. Sockets are numbered from 0 in the order of
/// opening. Whatever goes wrong with one of them ends the run with an exception: a load with holes
/// would flatter the server.
class Swarm {
  public:
    struct Options {
        int port = 0;
        unsigned sources = 16;      ///< so many loopback addresses, in turn
        unsigned first_source = 0;  ///< from 127.0.0.2 and this many on
        unsigned opening = 256;     ///< handshakes and joins under way at once
        double patience = 60;       ///< seconds for opening; 5 for anything else without progress
    };

    Swarm(const Options& options, const Dialect& dialect);
    ~Swarm();
    Swarm(const Swarm&) = delete;
    Swarm& operator=(const Swarm&) = delete;

    /// Opens and joins that many more; returns when all have joined.
    void open(std::size_t count);
    void close_all();
    /// As `close_all`, but the connections are cut without a goodbye (a reset), as by a network
    /// that is lost.
    void reset_all();

    std::size_t size() const { return sockets_.size(); }
    void listen(Listener* listener) { listener_ = listener; }
    /// Handles what arrives within that time; false when nothing did.
    bool poll(int timeout_ms);
    void poll_for(double seconds);
    /// Sends a frame at once.
    void send(std::size_t socket, std::string_view frame);

  private:
    enum class State : std::uint8_t { connecting, upgrading, joining, joined };
    struct Socket {
        int fd = -1;
        State state = State::connecting;
        std::string partial;  ///< what is left of a read
    };

    void connect_one();
    void readable(std::size_t index);
    void connected(std::size_t index);
    std::size_t upgraded(std::size_t index, std::string_view input);
    void message(std::size_t index, std::string_view payload);
    void joined(Socket& socket);
    [[noreturn]] void fail(std::size_t index, const std::string& what) const;

    Options options_;
    const Dialect& dialect_;
    Listener* listener_ = nullptr;
    int epoll_ = -1;
    std::vector<Socket> sockets_;
    std::size_t joined_ = 0;
    std::size_t dialled_ = 0;
    std::vector<char> scratch_;
    std::string known_delivery_;  ///< all broadcasts have the same bytes: the first is judged, the
                                  ///< rest compared
};

}  // namespace bench
