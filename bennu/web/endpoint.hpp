#pragma once

#include <memory>
#include <string>

#include "bennu/base/config.hpp"
#include "bennu/base/keys.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/runtime/supervisor.hpp"
#include "bennu/web/host_list.hpp"
#include "bennu/web/parameter_filter.hpp"
#include "bennu/web/router.hpp"
#include "bennu/web/secure_cookie_hint.hpp"

namespace bennu {

namespace detail {
class UploadFolder;
}

enum class Environment : std::uint8_t { dev, test, prod };
BENNU_ENUM(Environment, dev, test, prod)

/// PEM files: a certificate with the chain above it, and its key.
struct CertificateFiles {
    std::string certificate_file = {};
    std::string key_file = {};
};
BENNU_RECORD(CertificateFiles, certificate_file, key_file)

namespace net {
BENNU_ENUM(ClientCertificates, ignored, optional, required)
}  // namespace net

/// The section `endpoint.tls`. TLS 1.2 and 1.3; session tickets follow from the endpoint's secret,
/// so that all its processes resume each other's sessions.
struct EndpointTls {
    /// The client's server name chooses; the first is for all others. None: no TLS.
    std::vector<CertificateFiles> certificates = {};
    Duration handshake_timeout = std::chrono::seconds(5);
    /// A plain listener here sends clients to the encrypted one (`child_https_redirect`); 0: none.
    std::uint16_t redirect_port = 0;
    /// The port of the encrypted listener as clients see it.
    std::uint16_t public_port = 443;
    /// For how long browsers shall come over HTTPS only (Strict-Transport-Security, said by an
    /// app's `SecureHeaders`); zero: nothing is said.
    Duration hsts = std::chrono::days(365);
    /// Whether clients show a certificate of their own (mutual TLS): `Conn::client_certificate`.
    net::ClientCertificates client_certificates = net::ClientCertificates::ignored;
    /// PEM of the authorities that these must come from, with revocation lists if there are any.
    std::string client_authorities_file = {};
    /// How often it is looked whether the files changed (`child_certificate_watch`); zero: never.
    Duration reload_every = std::chrono::seconds(5);
};
BENNU_RECORD(EndpointTls, certificates, handshake_timeout, redirect_port, public_port, hsts,
             client_certificates, client_authorities_file, reload_every)

/// The section `endpoint` of an app's configuration (`read_endpoint`).
struct EndpointOptions {
    /// An address, or `unix:/path` for a Unix socket.
    std::string host = "127.0.0.1";
    std::uint16_t port = 4000;
    /// The public names of the site: `app.example`, `*.app.example` for all below it, `*` for any.
    /// Requests for other hosts are answered 421 `unknown_host`; `localhost`, IP addresses and the
    /// machine's own name are always in. None: in development those alone, elsewhere any host.
    std::vector<std::string> hosts = {};
    Environment environment = Environment::prod;
    std::uint64_t max_body = 8'000'000;  ///< bytes, unless the route says otherwise
    /// Bytes of a head: of its request line (over: 414), of one field, of all fields; and how many
    /// fields (over: 431). Routes may say less: `RouteOptions::head_limits`.
    std::uint32_t max_request_line = 8 * 1024;
    std::uint32_t max_header_field = 8 * 1024;
    std::uint32_t max_header_bytes = 32 * 1024;
    std::uint32_t max_header_fields = 100;
    std::uint64_t max_connections = 0;  ///< 0: from the descriptor limit
    Duration head_timeout = std::chrono::seconds(10);
    Duration body_timeout = std::chrono::seconds(60);
    Duration send_timeout = std::chrono::seconds(60);
    Duration idle_timeout = std::chrono::seconds(60);
    std::uint32_t min_body_rate = 500;  ///< bytes per second
    std::uint16_t max_requests = 0;     ///< of one connection; 0: any number
    std::uint32_t http2_streams = 100;  ///< requests of one connection at once; 0: no HTTP/2
    std::uint32_t per_ip = 256;         ///< connections of one client address; 0: any number
    /// Requests that waited over twice as long for their shard are answered 503 while everybody
    /// waits over this; zero: all are answered, however late. Routes may be `reserved`.
    Duration max_queue_delay = std::chrono::milliseconds(100);
    /// What the process may hold, in bytes, before requests are answered 503; 0: nine tenths of its
    /// control group's limit.
    std::uint64_t max_memory = 0;
    /// A node that stops closes so many of its WebSockets at a time, at most so long after each
    /// other: `net::DrainOptions`.
    std::uint32_t drain_batch = 10'000;
    Duration drain_pause = std::chrono::seconds(2);
    /// A proxy in front names the client with the PROXY protocol, on every connection.
    bool proxy_protocol = false;
    /// Proxies in front, addresses and ranges (`127.0.0.1`, `10.0.0.0/8`, `unix`): an app's
    /// `TrustedProxies` believes what they say of their clients.
    std::vector<std::string> trusted_proxies = {};
    /// `early_hints` reach clients, but those of HTTP/1.0.
    bool early_hints = false;
    /// Where files of uploads are while their requests run, in a folder of this process's own;
    /// empty: the system's folder for temporary files.
    std::string upload_folder = {};
    /// What they may take there together, in bytes; over it uploads are answered 503 `no_space`.
    std::uint64_t upload_space = 8'000'000'000;
    /// Parameters whose names hold one of these words, in any case, are shown as `***` in logs and
    /// on a developer's error pages.
    std::vector<std::string> filter_parameters = default_filtered_parameters();
    EndpointTls tls = {};
    /// Seals and signs cookies and tokens; at least 32 bytes where they are used.
    Secret secret = {};
    /// Secrets of before: what they sealed is still opened. Drop one when that has expired.
    std::vector<Secret> older_secrets = {};
    /// A listening socket that the launcher holds; -1: open one. Not configurable.
    int inherited_listener = -1;
    /// How many nodes serve on that socket (`NodeEnvironment::workers`): one that is full leaves
    /// new connections to the others instead of refusing them. Not configurable.
    unsigned workers = 1;
};
BENNU_RECORD(EndpointOptions, host, port, hosts, environment, max_body, max_request_line,
             max_header_field, max_header_bytes, max_header_fields, max_connections, head_timeout,
             body_timeout, send_timeout, idle_timeout, min_body_rate, max_requests, http2_streams,
             per_ip, max_queue_delay, max_memory, drain_batch, drain_pause, proxy_protocol,
             trusted_proxies, early_hints, upload_folder, upload_space, filter_parameters, tls,
             secret, older_secrets)

/// The keys of one purpose, of `secret` and `older_secrets`. Error `invalid`, code `no_secret`,
/// when there is none, or a short one.
Result<KeyRing> endpoint_keys(const EndpointOptions& options, std::string_view purpose);

/// Answers the requests of a server from a router: pipeline, action, error pages. One object for
/// all shards, immutable. A fault in an action ends that request with 500, is logged with the await
/// points it passed, and disturbs nothing else.
class Endpoint final : public net::HttpHandler {
  public:
    /// Compiles the router; its mistakes are the error.
    static Result<std::shared_ptr<const Endpoint>> make(EndpointOptions options,
                                                        std::shared_ptr<Router> router);

    net::BodyPlan body_plan(const net::RequestHead& head) const override;
    bool reserved(const net::RequestHead& head, net::Admission::Verdict verdict) const override;
    Task<net::HttpResponse> handle(net::HttpRequest request) const override;
    /// Telemetry hears of it as of any request, the log in the words of AccessLog, as far as nobody
    /// floods it.
    void refused(const net::RefusedRequest& request) const override;
    net::HttpResponse failure(int status, std::string_view code,
                              std::string_view message) const override;

    const EndpointOptions& options() const { return options_; }
    const Router& router() const { return *router_; }
    net::HttpServerOptions server_options() const;

  private:
    Task<net::HttpResponse> answer(Conn conn) const;
    Endpoint(EndpointOptions options, std::shared_ptr<Router> router, HostList hosts);

    EndpointOptions options_;
    std::shared_ptr<const Router> router_;
    ParameterFilter filter_;
    HostList hosts_;
    SecureCookieHint cookie_hint_;
    /// Null unless a route takes uploads.
    std::shared_ptr<detail::UploadFolder> uploads_;
};

/// The plain listener of `tls.redirect_port`, as a child beside the endpoint's.
ChildSpec child_https_redirect(const EndpointOptions& options,
                               ChildOptions child = {.id = "https_redirect"});

/// The endpoint as a child of a supervision tree, registered under its id: a net::HttpServer. A
/// router with mistakes fails the start.
ChildSpec child_endpoint(EndpointOptions options, std::shared_ptr<Router> router,
                         ChildOptions child = {.id = "endpoint",
                                               .name = "endpoint",
                                               .shutdown = std::chrono::seconds(15)});

/// All that the options ask for, in the order in which it starts: the watch over the certificates,
/// the redirecting listener, and last the endpoint, as `child_endpoint` makes it.
std::vector<ChildSpec> endpoint_children(EndpointOptions options, std::shared_ptr<Router> router);

}  // namespace bennu
