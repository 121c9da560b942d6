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
};

/// The process of one HTTP/1.1 connection. Requests are answered in order, each by a coroutine that
/// exists only while there is something to answer; pipelined answers leave in one write. Reading
/// heads and gathered bodies is in http_connection.cpp, answering in http_answer.cpp, bodies that
/// pass through piece by piece in http_upload.cpp and http_download.cpp.
class HttpConnection : public Server {
  public:
    struct Begin {};
    struct Expired {};

    /// `serving` lives as long as the table. `address` is the connection's slot in its counts.
    HttpConnection(SocketHandle socket, const HttpServing& serving,
                   std::shared_ptr<ConnectionTable> table, std::uint32_t address);
    ~HttpConnection();

    void handle(Begin);
    void handle(Expired);
    void handle_io(std::uint8_t tag, Readiness ready);
    Task<> terminate(ExitReason reason);
    /// The listener stops: endless answers are told to end.
    void wind_up();
    /// The listener began to stop so long ago: whether this connection has nothing to say any more.
    /// Who has just connected, or asks again right away, still gets an answer instead of a reset.
    bool silent_for(Duration draining) const;

  private:
    struct Incoming;
    struct Waiting;
    class Upload;
    class Download;
    enum class Step : std::uint8_t { need_more, request, refused };
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
    };

    void read_input();
    bool read_proxy_header(std::span<char> bytes);
    void begin_handshake(std::string_view received);
    void end_handshake(std::string_view outcome);
    void established();
    Step parse(std::span<char> fresh);
    Step parse_from(std::string_view input, std::size_t& consumed);
    void refuse(const Http1Refusal& refusal);
    void set_phase(Phase phase);
    Instant body_deadline() const;

    Task<> serve();
    Task<HttpResponse> answer(HttpRequest request);
    void append_head(const HttpResponse& response, Answering answering);
    void write_response(HttpResponse& response, Answering answering);
    /// A file or a producer's text. False when the connection cannot go on: it ends before the end
    /// mark.
    Task<bool> write_long(HttpResponse& response, Answering answering);
    Task<bool> send_file(FileBody body);
    Task<bool> produce(BodyProducer producer, Answering answering);
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
    bool readable_ = false;
    bool peer_closed_ = false;
    bool lost_ = false;
    bool ended_ = false;
};

}  // namespace bennu::net
