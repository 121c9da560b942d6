#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "bennu/net/connection_table.hpp"
#include "bennu/net/http2_session.hpp"
#include "bennu/net/http2_stream.hpp"
#include "bennu/net/tcp_stream.hpp"

namespace bennu::net {

struct HttpServing;

/// `PRI * HTTP/2.0…`: what a client that speaks HTTP/2 sends first.
inline constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The process of one HTTP/2 connection: it feeds the session and sends what that wants sent. Each
/// request runs in a process of its own (`Http2Stream`), linked to this one, which traps exits: a
/// stream that ends takes nothing along, but killing the connection kills its streams. A connection
/// that the client left stays, without its socket, until its last handler is done.
///
/// A WebSocket on a stream is a process of its own, too: it ends when the connection does.
///
/// Reading requests is in http2_connection.cpp, their bodies in http2_request_body.cpp, answering
/// in http2_answer.cpp, WebSockets in http2_websocket.cpp.
class Http2Connection final : public Server, private Http2Events {
  public:
    /// What the connection that spoke HTTP/1 until now, or did not speak yet, hands over.
    struct Start {
        TcpStream stream;
        const HttpServing* serving;
        std::shared_ptr<ConnectionTable> table;
        std::string input;  ///< begins with the preface, when something has come already
        SocketAddress peer;
        ConnectionSeat seat;
        Instant since;  ///< the input is there
    };
    struct Begin {
        Instant since;
    };
    struct Expired {};
    /// There is more to send, or to see to, than the end of a turn is the place for.
    struct Attend {};

    explicit Http2Connection(Start start);
    ~Http2Connection();

    void handle(Begin begin);
    void handle(Expired);
    void handle(Attend);
    void handle(Exit exit);
    void handle_io(std::uint8_t tag, Readiness ready);
    Task<> terminate(ExitReason reason);

    /// The listener stops: clients are told to open no more streams, endless answers to end.
    void wind_up();
    /// The listener began to stop so long ago. Requests that were on their way still come in; then
    /// the connection ends with its last stream.
    void settle(Duration draining);

    // For the processes of its streams, whose exchange says that this connection is there.

    /// Writes the head, and the body if it is text. Whether a body is still to come.
    bool respond(Http2Exchange& exchange, HttpResponse& response);
    void write(Http2Exchange& exchange, std::string text);
    void finish(Http2Exchange& exchange, const Headers* trailers = nullptr);
    void reset(Http2Exchange& exchange, Http2Code code);
    /// The process of a stream has nothing more to do.
    void done() { ++finished_; }
    void send_continue(Http2Exchange& exchange);
    /// The handler of a deferred body wants it; and takes it, when it is whole.
    void gather(Http2Exchange& exchange);
    std::string take_body(Http2Exchange& exchange);
    /// Whether handlers may send interim responses; and one of them, at once.
    bool sends_interim() const;
    void inform(Http2Exchange& exchange, int status, const Headers& headers);
    /// The answer to a request for a WebSocket that its handler agreed to; or, when there are too
    /// many of them, a refusal.
    void open_websocket(const std::shared_ptr<Http2Exchange>& exchange, HttpResponse response);
    /// With `no_error` behind everything that was written, else at once.
    void end_websocket(Http2Exchange& exchange, Http2Code code);
    /// Of the answer, or the frames of a WebSocket: what the client has not let through.
    std::size_t unsent(const Http2Exchange& exchange) const;
    void consumed(Http2Exchange& exchange, std::size_t bytes);
    /// Less of the answer waits for the client than may.
    bool has_room(const Http2Exchange& exchange) const;
    /// The server stops.
    bool ending() const { return entry_.draining(); }
    const std::shared_ptr<ConnectionTable>& table() const { return entry_.table(); }

  private:
    enum class Phase : std::uint8_t { serving, lingering, orphaned };
    using ExchangePtr = std::shared_ptr<Http2Exchange>;

    void request(Http2StreamId stream, RequestHead head) override;
    void refused(const Refused& refused) override;
    void body(Http2StreamId stream, std::string_view bytes) override;
    void body_ended(Http2StreamId stream, std::unique_ptr<Headers> trailers) override;
    void sent(Http2StreamId stream) override;
    void closed(Http2StreamId stream) override;

    /// Reads, sends and sees to the rest: a turn's portion of each.
    void go_on();
    void receive(std::string_view bytes);
    void begin_answer(const ExchangePtr& exchange);
    /// Deferred bodies that have not come along with their heads are not waited for.
    void begin_deferred();
    /// Its body is no longer among what is gathered.
    void uncount(Http2Exchange& exchange);
    bool turn_away(const RequestHead& head);
    void tell_of_refusal(int status, std::string_view code, const RequestHead& head,
                         Instant received);
    /// An answer without a process.
    void refuse(Http2StreamId stream, bool head_request, int status, std::string_view code,
                std::string_view message);
    /// A body that is being gathered is not wanted any more.
    void give_up(const ExchangePtr& exchange, int status, std::string_view code,
                 std::string_view message);
    void look_after_streams();
    /// Of those whose bodies are being gathered; null when there is none.
    ExchangePtr oldest_gathering() const;
    /// There may be room for bodies that were held back.
    void let_in();

    /// Sends what there is, a fair share of it at once.
    void send_some();
    void send_soon();
    /// Sees to what a step may have left: the rest of the output, the connection's end.
    void attend();
    bool idle() const { return session_.open_streams() == 0 && running_ == 0; }
    /// Nothing is under way but WebSockets, which have time-outs of their own.
    bool quiet() const {
        return session_.open_streams() == websockets_ && running_ == 0 && stream_.pending() == 0;
    }
    void renew_deadline();
    void linger();
    void leave();
    void detach_all();

    TcpStream stream_;
    const HttpServing* serving_;
    ConnectionTable::Entry entry_;
    Pid self_;
    std::string input_;
    SocketAddress peer_;
    std::unordered_map<Http2StreamId, ExchangePtr> exchanges_;
    std::vector<Http2StreamId> undecided_;  ///< with deferred bodies, of what is being received
    std::uint64_t gathered_ = 0;            ///< bytes of bodies on their way in
    std::uint32_t running_ = 0;             ///< processes of streams
    std::uint32_t finished_ = 0;  ///< of these, done with their answer; their exit is on its way
    std::uint32_t websockets_ = 0;
    std::uint16_t served_ = 0;
    Phase phase_ = Phase::serving;
    bool lost_ = false;
    bool watched_closely_ = false;  ///< the deadline is the next look at the streams
    bool sending_due_ = false;
    bool more_to_send_ = false;
    bool attention_due_ = false;
    bool held_back_ = false;  ///< a body is, or was, `withheld`
    bool announced_ = false;
    bool refusing_ = false;
    Instant active_;  ///< when the last stream began or ended
    Instant moved_;   ///< when the socket last took everything, or something
    Http2Session session_;
};

Ref<Http2Connection> start_http2(Http2Connection::Start start);

}  // namespace bennu::net
