#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "benches/load/latencies.hpp"

namespace bench::http {

/// What becomes of the connections' requests.
class Watcher {
  public:
    virtual ~Watcher() = default;
    virtual void on_open(std::size_t) {}
    virtual void on_answer(std::size_t connection, int status) = 0;
    /// Refused, reset, or closed by the server; it may be opened again.
    virtual void on_closed(std::size_t connection) = 0;
};

/// Many HTTP/1.1 connections on one thread and one epoll, each with at most one request under way.
/// Uses no code of the server's.
class Connections {
  public:
    struct Options {
        int port = 0;
        unsigned sources = 16;  ///< loopback addresses 127.0.0.2 and up, in turn
    };
    Connections(const Options& options, Watcher& watcher);
    ~Connections();
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    std::size_t add();
    void open(std::size_t connection);
    void close(std::size_t connection);
    bool is_open(std::size_t connection) const { return sockets_[connection].open; }
    /// Whether a request is under way.
    bool busy(std::size_t connection) const { return sockets_[connection].busy; }
    void send(std::size_t connection, std::string_view bytes, bool is_request);
    /// Handles what is ready within that time.
    void poll(int timeout_ms);

  private:
    struct Socket {
        int fd = -1;
        bool open = false;
        bool busy = false;
        std::string partial;
    };
    void readable(std::size_t connection);
    void lost(std::size_t connection);

    Options options_;
    Watcher& watcher_;
    int epoll_;
    unsigned dialled_ = 0;
    std::vector<Socket> sockets_;
    std::vector<char> scratch_ = std::vector<char>(256 * 1024);
};

}  // namespace bench::http
