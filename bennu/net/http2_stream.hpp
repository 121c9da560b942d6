#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bennu/net/http2_session.hpp"
#include "bennu/net/http_handler.hpp"
#include "bennu/net/pace.hpp"
#include "bennu/net/wait_list.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::net {

class Http2Connection;

/// One request on its way in and its answer on its way out: what a connection and the process of
/// its stream share. Both are on one shard.
struct Http2Exchange {
    Http2StreamId id = 0;
    Http2Connection* connection = nullptr;  ///< null once the stream is gone
    Pid process;  ///< nobody until the request is whole, or streamed; then the WebSocket's
    RequestHead head;
    SocketAddress peer;
    Instant received;
    std::string body;           ///< gathered
    std::uint64_t counted = 0;  ///< of it, among what the connection has gathered
    std::unique_ptr<Headers> trailers;
    std::uint64_t body_bytes = 0;  ///< received so far
    std::uint64_t body_limit = 0;
    Pace pace;             ///< of a streamed body
    Instant body_started;  ///< of a gathered body
    Instant body_moved;    ///< the same
    /// Bytes of a gathered body that the client may not follow up yet, and since when. So are all
    /// of a deferred one that nobody has asked for.
    std::uint64_t withheld = 0;
    Instant withheld_since;
    std::string inbox;  ///< of a streamed body or for a WebSocket, not read yet
    std::optional<Error> error;
    bool secure = false;
    std::shared_ptr<const PeerCertificate> client_certificate = {};
    bool head_request = false;
    bool streamed = false;
    bool deferred = false;  ///< gathered once its handler, which runs already, asks for it
    bool asked_for = false;
    bool expects_continue = false;
    bool body_ended = false;
    bool answer_begun = false;  ///< its head was written
    bool answered = false;      ///< completely, as far as the handler goes
    /// A request for a WebSocket: not answered yet, answered otherwise, one now, one that has ended
    /// on our side.
    enum class Tunnel : std::uint8_t { none, wanted, refused, open, ended } tunnel = Tunnel::none;
    bool announced = false;       ///< the WebSocket knows that there is something in the inbox
    bool tell_when_sent = false;  ///< and wants to know when nothing is unsent
    WaitList readers, writers, enders;

    bool gathering() const {
        const bool wanted = deferred ? asked_for && !answered : !process && !streamed;
        return wanted && !body_ended && !error && tunnel == Tunnel::none;
    }
    /// Its reader finds this, unless there is an end already.
    void fail(ErrorKind kind, std::string_view code, std::string_view message);
    /// The stream is gone, or the connection.
    void detach();
    /// What the client sends is for a WebSocket, that there is or may be.
    bool socket_bound() const { return tunnel == Tunnel::wanted || tunnel == Tunnel::open; }
    /// Tells the WebSocket of what has come, or of the end.
    void announce();
};

/// The process of one request: a fault, a long computation or a kill ends nothing but its stream.
class Http2Stream : public Server {
  public:
    struct Begin {};

    Http2Stream(std::shared_ptr<Http2Exchange> exchange, std::shared_ptr<const HttpHandler> handler,
                const PaceLimits& pace)
        : exchange_(std::move(exchange)), handler_(std::move(handler)), pace_(pace) {}

    Task<> handle(Begin);
    /// Null once the client gave this request up.
    const Http2Connection* connection() const { return exchange_->connection; }

  private:
    class Interim;
    class Upload;
    class Gathered;
    class Download;
    Task<> answer(HttpResponse response);
    Task<bool> send_file(FileBody body);

    std::shared_ptr<Http2Exchange> exchange_;
    std::shared_ptr<const HttpHandler> handler_;
    PaceLimits pace_;
};

}  // namespace bennu::net
