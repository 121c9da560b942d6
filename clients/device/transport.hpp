#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bennu/net/websocket_frame.hpp"
#include "clients/device/handshake.hpp"
#include "clients/device/lookup.hpp"
#include "clients/device/message.hpp"
#include "clients/device/timing.hpp"
#include "clients/device/url.hpp"

namespace bennu::device {

struct TransportOptions {
    SocketUrl url;
    std::vector<std::pair<std::string, std::string>> params;
    std::string auth_token;
    std::string headers;
    /// A PEM file with the authorities to trust; empty: those of the system.
    std::string ca_file;
    /// Finds the host's addresses; shared by all connections of a client. Empty: one of its own.
    std::shared_ptr<Lookup> lookup;
    /// From the look-up of the host to the open WebSocket.
    Millis connect_timeout = std::chrono::seconds(10);
    /// Bytes of one message from the server; a larger one ends the connection.
    std::size_t largest_message = 1024 * 1024;
};

/// One WebSocket over TCP or TLS, without waiting for anything: the only file here that knows of
/// sockets.
class Transport {
  public:
    enum class State { connecting, open, closed };
    using OnMessage = std::function<void(std::string_view message, FrameKind)>;

    explicit Transport(TransportOptions options);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    /// Does what can be done now. Messages that arrived go to `on_message` until `more()` is false.
    void step(Time now, const std::function<bool()>& more, const OnMessage& on_message);
    /// Takes a message to send. `takes_more()` says whether that is a good idea.
    void send(std::string_view message, FrameKind kind);
    bool takes_more() const;
    /// Says goodbye as well as it can, and closes.
    void close(std::uint16_t code);

    State state() const { return state_; }
    /// Why it is closed.
    const std::string& problem() const { return problem_; }
    /// For poll(): -1 when closed.
    int descriptor() const { return looking_up_ ? options_.lookup->descriptor() : descriptor_; }
    bool wants_read() const;
    bool wants_write() const;
    std::optional<Time> deadline() const;

  private:
    struct Tls;

    void begin(Time now);
    void look_up();
    void try_next_address();
    void connected();
    void read();
    void write();
    void begin_handshake();
    void read_handshake();
    void read_frames(const std::function<bool()>& more, const OnMessage& on_message);
    void frame(const net::WebSocketEvent& event, const OnMessage& on_message);
    void queue_plain(std::string_view bytes);
    void fail(std::string problem);
    void shut();

    TransportOptions options_;
    State state_ = State::connecting;
    bool begun_ = false;
    bool looking_up_ = false;
    bool linked_ = false;  ///< TCP is connected
    int descriptor_ = -1;
    std::vector<Address> addresses_;  ///< that were not tried yet, the best last
    std::unique_ptr<Tls> tls_;
    Handshake handshake_;
    bool handshake_sent_ = false;
    net::WebSocketDecoder decoder_;
    std::string out_;  ///< for the socket, encrypted where it is
    std::string in_;   ///< from the server, decrypted
    std::string problem_;
    std::string ending_;  ///< why it ends once what arrived is handed out
    std::optional<Time> deadline_;
};

}  // namespace bennu::device
