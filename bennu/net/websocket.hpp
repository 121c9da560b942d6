#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bennu/base/function.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/net/websocket_deflate.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::net {

class WebSocketConnection;
class TlsContext;
struct WebSocketEvent;
enum class Opcode : std::uint8_t;

struct WebSocketOptions {
    std::size_t max_message = 64 * 1024;
    /// Closed when no frame came for so long.
    Duration idle_timeout = std::chrono::seconds(60);
    /// A client that lets more than this pile up beside the message that it is getting (the largest
    /// that waits, which may be of any size) is disconnected: one slow client never holds memory
    /// for the others. One that reads is not slow, however much is sent to it within a turn.
    std::size_t max_outbox = 4 * 1024 * 1024;
    /// Set: a peer is `slow` from when it leaves more than this untaken, counted likewise, and the
    /// handler is told when it has taken everything (`on_drained`).
    std::uint32_t slow_outbox = 0;
    /// Pings and pongs that a peer may send: so many a second, and so many at once. Browsers send
    /// none by themselves, other clients one every few seconds. More end the connection with 1008.
    std::uint16_t control_frames_per_second = 10;  ///< 0: any
    std::uint16_t control_frame_burst = 100;
    /// Frames of one message, empty ones too; more end the connection with 1008. 0: any.
    std::uint16_t max_fragments = 1024;
    WebSocketDeflate deflate;
    /// Set by `accept_websocket` when the client offered what `deflate` allows.
    std::shared_ptr<const DeflateAgreement> agreed;
};

/// What a WebSocket does. Its methods run in the connection's process, one at a time; views are
/// valid during the call. An exception ends the connection with 1011.
class WebSocketHandler {
  public:
    virtual ~WebSocketHandler() = default;
    virtual void on_open(WebSocketConnection& socket) = 0;
    virtual void on_text(WebSocketConnection& socket, std::string_view text) = 0;
    virtual void on_binary(WebSocketConnection& socket, std::string_view data) = 0;
    /// A process that this socket's process monitors ended.
    virtual void on_down(WebSocketConnection& socket, Down down);
    /// A slow peer, or one of which that was asked with `tell_when_drained`, has taken everything.
    /// It is slow until `caught_up`.
    virtual void on_drained(WebSocketConnection& socket);
    /// The last call: the peer closed (its code, 1005 for none), the connection was lost (1006) or
    /// we closed it.
    virtual void on_close(WebSocketConnection& socket, std::uint16_t code, std::string_view reason);
};

/// The process of one WebSocket, over a TCP connection of its own or a stream of an HTTP/2
/// connection. From its own process (or code of its shard, through `local_body`) call the methods;
/// from anywhere else send the messages. What is sent within one turn of the shard leaves in one
/// system call.
class WebSocketConnection : public Server {
  public:
    /// Sends bytes that are framed already (`text_frame`): one buffer for all receivers of a
    /// broadcast.
    struct SendFrame {
        Shared<std::string> frame;
    };
    struct SendText {
        std::string text;
    };
    struct CloseWith {
        std::uint16_t code = 1000;
        std::string reason;
    };
    /// Runs a function in the connection's process.
    struct Notify {
        Function<void(WebSocketConnection&, WebSocketHandler&)> run;
    };

    void send_text(std::string_view text);
    void send_binary(std::string_view data);
    /// An unmasked frame made by `text_frame`; servers only. Never compressed: it is one buffer for
    /// all receivers.
    void send_frame(std::string_view frame);
    /// Starts the closing handshake; the process ends when the peer answered, or after a second.
    void close(std::uint16_t code, std::string_view reason = {});
    bool open() const;
    Ref<WebSocketConnection> ref() const { return self_; }
    SocketAddress peer() const;
    /// What was sent and not taken yet.
    std::size_t outbox_bytes() const;
    /// Of that, what counts against the bounds of `WebSocketOptions`.
    std::size_t waiting_bytes() const;
    /// `on_drained` is called once nothing is untaken: soon, if nothing is now.
    void tell_when_drained();
    /// Whether more than `slow_outbox` was left untaken since the last `caught_up`.
    bool slow() const;
    void caught_up();
    WebSocketHandler& handler();

    struct Begin {};
    struct Overdue {};
    /// Its carrier has something for it, has sent everything, or is lost.
    struct Carried {};
    struct Drained {};

    void handle(Begin);
    void handle(Overdue);
    void handle(Carried);
    void handle(Drained);
    void handle(SendFrame message);
    void handle(SendText message);
    void handle(CloseWith message);
    void handle(Notify message);
    void handle(Down down);
    void handle_io(std::uint8_t tag, Readiness ready);
    Task<> terminate(ExitReason reason);

    struct Start;
    explicit WebSocketConnection(Start start);
    ~WebSocketConnection();
    static constexpr MailboxOptions mailbox{.limit = 10'000, .overflow = Overflow::reject};

  private:
    struct State;
    template <typename F>
    void guarded(F&& code);
    void opened();
    void read();
    void received(std::span<char> bytes);
    void finish_handshake();
    void decode_buffered();
    std::size_t decode(std::span<char> input);
    void message(const WebSocketEvent& event);
    void refuse(std::uint16_t code, std::string_view reason);
    void send(Opcode opcode, std::string_view payload);
    void send_close(std::uint16_t code, std::string_view reason);
    void sent(std::size_t bytes);
    void flush_later();
    void flush();
    bool write_out();
    void hand_over();
    void tell_closed(std::uint16_t code, std::string_view reason);
    void finish(std::uint16_t code, std::string_view reason);
    void give_up(std::string_view reason);
    void leave();

    std::unique_ptr<State> state_;
    Ref<WebSocketConnection> self_;
};

/// A complete unmasked text frame around the payload.
std::string text_frame(std::string_view payload);
std::string binary_frame(std::string_view payload);

struct WebSocketClientOptions {
    SocketAddress address;
    std::string host;  ///< the Host header; default: the address
    std::string path = "/";
    std::vector<std::string> protocols;
    /// Set: over TLS, and the server's certificate must be valid for this name.
    std::shared_ptr<TlsContext> tls;
    std::string server_name;
    Duration connect_timeout = std::chrono::seconds(10);
    WebSocketOptions socket;
};
/// Connects as a client: a process of this shard, linked to nobody. `on_open` is called once the
/// handshake is done, `on_close` with 1006 when it fails.
Ref<WebSocketConnection> connect_websocket(WebSocketClientOptions options,
                                           std::unique_ptr<WebSocketHandler> handler);

}  // namespace bennu::net
