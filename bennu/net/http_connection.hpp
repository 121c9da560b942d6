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
};

/// The process of one HTTP/1.1 connection. Requests are answered in order, each by a coroutine that
/// exists only while there is something to answer; pipelined answers leave in one write.
class HttpConnection : public Server {
  public:
    struct Begin {};
    struct Expired {};

    HttpConnection(SocketHandle socket, std::shared_ptr<const HttpServing> serving,
                   std::shared_ptr<ConnectionTable> table);
    ~HttpConnection();

    void handle(Begin);
    void handle(Expired);
    void handle_io(std::uint8_t tag, Readiness ready);
    Task<> terminate(ExitReason reason);
    /// The listener began to stop so long ago: whether this connection has nothing to say any more.
    /// Who has just connected, or asks again right away, still gets an answer instead of a reset.
    bool silent_for(Duration draining) const;

  private:
    struct Incoming;
    enum class Step : std::uint8_t { need_more, request, refused };
    enum class Phase : std::uint8_t { idle, reading_head, reading_body, answering, lingering };

    void read_input();
    Step parse(std::span<char> fresh);
    Step parse_from(std::string_view input, std::size_t& consumed);
    Task<> serve();
    Task<HttpResponse> answer(HttpRequest request);
    /// What the answer must know of its request.
    struct Answering {
        bool head_request = false;
        bool keep_alive = true;
        std::uint8_t minor_version = 1;
    };
    void write_response(HttpResponse& response, Answering answering);
    void refuse(const Http1Refusal& refusal);
    Task<bool> drained();
    void upgrade(HttpResponse response);
    void finish_output(bool close);
    void set_phase(Phase phase);
    void end();

    TcpStream stream_;
    std::shared_ptr<const HttpServing> serving_;
    ConnectionTable::Entry entry_;
    Http1Parser parser_;
    std::string in_;  ///< received, not parsed yet
    std::unique_ptr<Incoming> incoming_;
    SocketAddress peer_;
    detail::ReplyTo waiting_for_drain_;
    Phase phase_ = Phase::idle;
    bool serving_request_ = false;  ///< the coroutine runs; it does the reading
    bool answered_ = false;         ///< a request, at least
    bool readable_ = false;
    bool peer_closed_ = false;
    bool lost_ = false;
    bool ended_ = false;
};

}  // namespace bennu::net
