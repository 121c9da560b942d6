#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bennu/net/http_message.hpp"
#include "bennu/net/tcp_stream.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::net {

/// One frame of HTTP/2, for tests that send what no library would.
struct Http2Frame {
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    std::string payload = {};
};
std::string to_bytes(const Http2Frame& frame);
/// The whole frames at the beginning of the text.
std::vector<Http2Frame> read_frames(std::string_view bytes);
/// A header block without compression.
std::string plain_block(const std::vector<std::pair<std::string, std::string>>& fields);
/// The preface with empty settings.
std::string http2_hello();
/// The error code of the first GOAWAY that closes the connection; 999 without one.
std::uint32_t goaway_code(std::string_view bytes);

/// What a test's client knows of one stream.
struct Http2Reply {
    int status = 0;
    std::vector<int> informational;
    Headers headers;
    std::string body;
    bool ended = false;       ///< with its end mark
    bool closed = false;      ///< ended or reset
    std::uint32_t error = 0;  ///< of a reset
};

struct Http2ClientState;

/// A client for tests over whatever network the runtime has: nghttp2's own.
class Http2Client : public Server {
  public:
    using Fields = std::vector<std::pair<std::string, std::string>>;
    struct Options {
        std::shared_ptr<TlsContext> tls = nullptr;
        /// Bodies are received only as far as the windows of the beginning let them.
        bool keep_windows_shut = false;
        /// Of every stream at its beginning; 0: the protocol's 65,535 bytes.
        std::uint32_t window = 0;
        /// Sent in pieces of so many bytes, each in a turn of its own; 0: as it comes.
        std::size_t piece = 0;
    };
    Http2Client(SocketAddress address, Options options);
    explicit Http2Client(SocketAddress address) : Http2Client(std::move(address), Options{}) {}
    ~Http2Client();

    /// A whole request; the answer comes when the stream is closed. The fields of a usual request
    /// are added in front: `:method`, `:scheme`, `:authority` and `:path` as they are missing.
    struct Ask {
        using Reply = Http2Reply;
        Fields fields;
        std::string body = {};
    };
    /// The head alone; yields the stream's number.
    struct Begin {
        using Reply = std::int32_t;
        Fields fields;
        bool ends = false;
    };
    struct Send {
        std::int32_t stream;
        std::string bytes;
        bool ends = false;
        Fields trailers = {};
    };
    struct Reset {
        std::int32_t stream;
    };
    /// Yields once the body contains `text`, or the stream is closed; empty: only then.
    struct Await {
        using Reply = Http2Reply;
        std::int32_t stream;
        std::string text = {};
    };
    /// What has come so far.
    struct Look {
        using Reply = Http2Reply;
        std::int32_t stream;
    };
    /// Yields the code of the GOAWAY that has come, once one has or the connection is closed (999).
    struct AwaitGoaway {
        using Reply = std::uint32_t;
    };
    /// Yields once the server has closed the connection.
    struct AwaitClose {
        using Reply = bool;
    };
    /// The bytes of a body that the server lets this client send now.
    struct Window {
        using Reply = std::int32_t;
        std::int32_t stream;
    };

    Task<Result<>> init();
    void handle(Ask message, From<Http2Reply> from);
    std::int32_t handle(Begin message);
    void handle(Send message);
    void handle(Reset message);
    void handle(Await message, From<Http2Reply> from);
    Http2Reply handle(Look message);
    void handle(AwaitGoaway, From<std::uint32_t> from);
    void handle(AwaitClose, From<bool> from);
    std::int32_t handle(Window message);
    void handle_io(std::uint8_t tag, Readiness ready);
    struct Continue {};
    void handle(Continue);

  private:
    void send();
    void answer_waiting();
    std::unique_ptr<Http2ClientState> state_;
};

}  // namespace bennu::net
