#pragma once

#include <cstdint>
#include <memory>

#include "bennu/net/admission.hpp"
#include "bennu/net/drain.hpp"
#include "bennu/net/http1_limits.hpp"
#include "bennu/net/http2_limits.hpp"
#include "bennu/net/http_handler.hpp"
#include "bennu/net/tls.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::net {

struct HttpServerOptions {
    /// A host and port, or `unix:/path` as the host.
    SocketAddress address;
    /// Permissions of a Unix socket's file. A file that is left of a server that is gone is
    /// removed.
    std::uint32_t unix_mode = 0660;
    /// Other processes of this user may listen on the same port, too: for listeners that the
    /// launcher does not hold.
    bool reuse_port = false;
    /// A listening socket that the launcher holds; -1: open one.
    int inherited_listener = -1;
    Http1Limits limits;
    Http2Limits http2;
    Duration head_timeout = std::chrono::seconds(10);
    /// Without a byte of the body; 408.
    Duration body_timeout = std::chrono::seconds(60);
    /// A body must come with at least so many bytes per second, once it was waited for as long as
    /// the grace; 408. 0: however slowly.
    std::uint32_t min_body_rate = 500;
    Duration body_rate_grace = std::chrono::seconds(10);
    /// Handlers may send interim responses (103 Early Hints), but not to clients of HTTP/1.0. Some
    /// clients and proxies of old take one for the answer itself: hence not by default.
    bool interim_responses = false;
    /// Without a byte of the answer taken by the client; the connection is closed.
    Duration send_timeout = std::chrono::seconds(60);
    Duration idle_timeout = std::chrono::seconds(60);
    /// What the handler left unread of a streamed body is read and dropped up to so many bytes;
    /// beyond them the connection closes.
    std::uint32_t skip_body = 64 * 1024;
    /// Of one client address (IPv6: of one /64); more are closed. 0: any number.
    std::uint32_t per_ip = 256;
    /// Also counts connections from this machine, where proxies are.
    bool per_ip_loopback = false;
    /// Every connection begins with a header of the PROXY protocol (version 1 or 2), which names
    /// the client. Only for listeners that nobody but the proxy can reach.
    bool proxy_protocol = false;
    Duration proxy_timeout = std::chrono::seconds(5);
    /// Set: every connection is encrypted.
    std::optional<TlsOptions> tls;
    /// Answered on one connection, which then closes. 0: any number.
    std::uint16_t max_requests = 0;
    /// Of the whole server. 0: from the descriptor limit.
    std::size_t max_connections = 0;
    /// What becomes of more: answered 503, or left in the queue of the listening socket for another
    /// process that serves on it too, or until there is room.
    enum class WhenFull : std::uint8_t { refuse, leave };
    WhenFull when_full = WhenFull::refuse;
    /// Who is answered 503 before any work is done, because there is too much already. `memory` 0:
    /// nine tenths of what the control group of the process may hold, if that has a limit.
    AdmissionLimits admission;
    /// Of a server that stops: how it ends its WebSockets.
    DrainOptions drain;
};

/// Listens, and serves every connection with a process of its own on the shard that accepted it. A
/// child for a supervision tree: `child<HttpServer>({}, options, handler)`. Stopping it stops
/// accepting, lets requests in progress finish, and closes WebSockets with 1012, in batches.
class HttpServer : public Server {
  public:
    HttpServer(HttpServerOptions options, std::shared_ptr<const HttpHandler> handler);

    /// Where it really listens (the port may have been 0).
    struct Address {
        using Reply = SocketAddress;
    };
    struct Connections {
        using Reply = std::size_t;
    };

    /// New connections get new certificates: these, or the same files read again. On an error
    /// nothing changes.
    struct ReloadCertificates {
        using Reply = Result<>;
        std::vector<TlsCertificate> certificates = {};
    };

    Task<Result<>> init();
    Task<> terminate(ExitReason reason);
    SocketAddress handle(Address) { return bound_; }
    Task<std::size_t> handle(Connections);
    Task<Result<>> handle(ReloadCertificates message);
    void handle(Down down);

  private:
    HttpServerOptions options_;
    std::shared_ptr<const HttpHandler> handler_;
    std::shared_ptr<TlsContext> tls_;
    SocketAddress bound_;
    std::vector<Pid> acceptors_;
};

}  // namespace bennu::net
