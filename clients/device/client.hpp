#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients/device/session.hpp"
#include "clients/device/transport.hpp"

namespace bennu::device {

struct ClientOptions {
    /// `wss://host[:port]/socket`, as the server mounted it; without a query, see `params`.
    std::string url{};
    /// Parameters of the connection, for the server's `connect`.
    std::vector<std::pair<std::string, std::string>> params{};
    std::string auth_token{};
    /// Further header lines of the handshake, each ended by CR LF.
    std::string headers{};
    /// A PEM file with the authorities to trust; empty: those of the system.
    std::string ca_file{};
    Millis connect_timeout = std::chrono::seconds(10);
    std::size_t largest_message = 1024 * 1024;
    /// How the URL's host becomes addresses; empty: as the system does it.
    Resolve resolve{};
    SessionOptions session{};

    std::function<void()> on_open{};
    /// The connection is lost or could not be made; it is tried again by and by.
    std::function<void(const std::string& problem)> on_close{};
};

/// A client of the channel protocol for devices: connects, heartbeats, reconnects and joins again
/// by itself. Everything, callbacks included, happens inside `poll`, `run` or `step`, on the
/// caller's thread; only the look-up of a host's name has a thread, for as long as it takes.
/// Nothing is thrown, apart from the constructor's std::invalid_argument for a URL that is none.
///
///     Client client({.url = "wss://example.com/socket"});
///     Channel& meter = client.channel("device:demo:02:00:00:00:00:01");
///     meter.join();
///     client.start();
///     while (running) {
///         meter.push("metrics", R"({"cpu": 10})");
///         client.poll(std::chrono::seconds(1));
///     }
class Client {
  public:
    explicit Client(ClientOptions options);

    /// One object a topic, which lives as long as the client; call `join()` on it.
    Channel& channel(std::string topic, ChannelOptions options = {}) {
        return session_.channel(std::move(topic), std::move(options));
    }

    void start();
    /// Closes the connection. May be called in a callback; ends `run`.
    void stop();
    bool connected() const { return session_.open(); }

    /// Waits at most `timeout` for something to happen, and handles it. Does not wait once stopped.
    void poll(Millis timeout);
    /// Polls until `stop`.
    void run();

    /// For an event loop of the app's own: call `step` when the descriptor is ready for what it
    /// waits for, or when the deadline has come. All three may change with every call to this class
    /// or its channels; pushing something makes `step` due at once.
    void step();
    int descriptor() const { return transport_ ? transport_->descriptor() : -1; }
    bool wants_read() const { return transport_ && transport_->wants_read(); }
    bool wants_write() const { return transport_ && transport_->wants_write(); }
    /// From now; nothing: not until the descriptor is ready. Zero: at once.
    std::optional<Millis> due() const;

  private:
    bool advance();
    bool drop();

    ClientOptions options_;
    SocketUrl url_;
    Session session_;
    std::shared_ptr<Lookup> lookup_;
    std::unique_ptr<Transport> transport_;
    bool opened_ = false;
};

}  // namespace bennu::device
