#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bennu/net/connection_table.hpp"
#include "bennu/net/http1_parser.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/net/tcp_stream.hpp"

namespace bennu::net {

/// What the connections of one listener share.
struct HttpServing {
    HttpServerOptions options;
    std::shared_ptr<const HttpHandler> handler;
    std::shared_ptr<TlsContext> tls;  ///< null: plain
    std::shared_ptr<AddressCounts> addresses;
    std::shared_ptr<ConnectionCounts> counts;
};

/// The process of one HTTP/1.1 connection. Requests are answered in order, each by a coroutine that
/// exists only while there is something to answer; pipelined answers leave in one write. Reading
/// heads and gathered bodies is in http_connection.cpp, answering in http_answer.cpp, bodies that
/// pass through piece by piece in http_upload.cpp and http_download.cpp.
class HttpConnection : public Server {
  public:
    struct Begin {
        Instant since;  ///< the client has waited in the kernel's queue
    };
    struct Expired {};
    /// The listener began to stop so long ago: ends the connection if it is `silent_for` that.
    struct EndSilence {
        Duration draining;
    };

    /// `serving` lives as long as the table.
    HttpConnection(SocketHandle socket, const HttpServing& serving,
                   std::shared_ptr<ConnectionTable> table, ConnectionSeat seat);
    ~HttpConnection();

    void handle(Begin begin);
    void handle(Expired);
    void handle(EndSilence message);
    void handle_io(std::uint8_t tag, Readiness ready);
    Task<> terminate(ExitReason reason);
    /// The listener stops: endless answers are told to end.
    void wind_up();
    /// The listener began to stop so long ago: whether this connection has nothing to say any more.
    /// Who has just connected, or asks again right away, still gets an answer.
    bool silent_for(Duration draining) const;
    /// The connections of its listener on this shard: what a request leaves behind may join them,
    /// and ends with them.
    const std::shared_ptr<ConnectionTable>& table() const { return entry_.table(); }

  private:
    struct Incoming;
    struct Waiting;
    class Upload;
    class Download;
    class Interim;
    class InterimTurn;
    enum class Step : std::uint8_t { need_more, request, refused, handed_over };
    enum class Phase : std::uint8_t {
        proxy_header,
        handshaking,
        idle,
        reading_head,
        reading_body,
        answering,
        lingering
    };
    /// What the answer must know of its request.
    struct Answering {
        bool head_request = false;
        bool keep_alive = true;
        std::uint8_t minor_version = 1;
        bool trailers = false;  ///< may follow the body
    };

    void read_input();
    /// Takes what was read; whether to read on.
    bool take_input(std::span<char> bytes);
    /// The handshake may have come to its end with what was read last, of which `bytes` are
    /// plaintext. Whether another process took the connection.
    bool handshake_done(std::span<char> bytes);
    bool read_proxy_header(std::span<char> bytes);
    void begin_handshake(std::string_view received);
    void end_handshake(std::string_view outcome);
    void established();
    Step parse(std::span<char> fresh);
    /// Before the first request of a plain connection: whether its client speaks HTTP/2, or may.
    std::optional<Step> recognise_http2(std::span<char> fresh);
    void become_http2(std::string input);
    Step parse_from(std::string_view input, std::size_t& consumed);
    /// `seen` is what there is of a head that was not read yet.
    void refuse(const Http1Refusal& refusal, std::string_view seen);
    void tell_of_refusal(int status, std::string_view code, std::string_view seen);
    /// There is too much to do for this request, whose head is there.
    bool turn_away(const RequestHead& head);
    /// 503, now. Without a body to come the connection stays open.
    Step refuse_busy(std::string_view code, std::string_view message);
    void set_phase(Phase phase);
    Instant body_deadline() const;

    Task<> serve();
    void append_head(const HttpResponse& response, Answering answering);
    void write_response(HttpResponse& response, Answering answering);
    /// A long text, a file, or a producer's text. False when the connection cannot go on: it ends
    /// before the end mark.
    Task<bool> write_long(HttpResponse& response, Answering answering);
    Task<bool> send_text(std::string_view text);
    Task<bool> send_file(FileBody body);
    /// `announced` is the response's `Trailer` field.
    Task<bool> produce(BodyProducer producer, std::string announced, Answering answering);
    /// Sends what is queued, as far as the socket takes it; whether all of it has left.
    bool flushed();
    Task<bool> drained();
    Task<bool> wait_writable();
    void flush_soon();
    void upgrade(HttpResponse response);
    void finish_output(bool close);
    void end();

    using Piece = Result<std::optional<std::string>>;
    Task<Piece> read_piece(Upload& upload);
    void take_body(Upload& upload, std::string_view input, std::size_t& consumed,
                   std::string& piece);
    Task<bool> skip_rest(Upload& upload);

    Waiting& waiting();
    const HttpServerOptions& options() const { return serving_->options; }

    TcpStream stream_;
    const HttpServing* serving_;
    ConnectionTable::Entry entry_;
    Http1Parser parser_;
    std::string in_;  ///< received, not parsed yet
    std::unique_ptr<Incoming> incoming_;
    SocketAddress peer_;
    std::unique_ptr<Waiting> waiting_;  ///< only while an answer waits for the socket
    std::uint16_t served_ = 0;
    Phase phase_ = Phase::idle;
    bool serving_request_ = false;  ///< the coroutine runs; it does the reading
    bool peer_closed_ = false;
    bool lost_ = false;
    bool ended_ = false;
};

}  // namespace bennu::net
