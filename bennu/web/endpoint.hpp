#pragma once

#include <memory>
#include <string>

#include "bennu/base/config.hpp"
#include "bennu/base/keys.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/runtime/supervisor.hpp"
#include "bennu/web/router.hpp"

namespace bennu {

enum class Environment : std::uint8_t { dev, test, prod };
BENNU_ENUM(Environment, dev, test, prod)

/// PEM files: a certificate with the chain above it, and its key.
struct CertificateFiles {
    std::string certificate_file = {};
    std::string key_file = {};
};
BENNU_RECORD(CertificateFiles, certificate_file, key_file)

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
};
BENNU_RECORD(EndpointTls, certificates, handshake_timeout, redirect_port, public_port)

/// The section `endpoint` of an app's configuration.
struct EndpointOptions {
    /// An address, or `unix:/path` for a Unix socket.
    std::string host = "127.0.0.1";
    std::uint16_t port = 4000;
    Environment environment = Environment::prod;
    std::uint64_t max_body = 8'000'000;  ///< bytes, unless the route says otherwise
    std::uint64_t max_connections = 0;   ///< 0: from the descriptor limit
    Duration head_timeout = std::chrono::seconds(10);
    Duration body_timeout = std::chrono::seconds(60);
    Duration send_timeout = std::chrono::seconds(60);
    Duration idle_timeout = std::chrono::seconds(60);
    std::uint32_t min_body_rate = 500;  ///< bytes per second
    std::uint16_t max_requests = 0;     ///< of one connection; 0: any number
    std::uint32_t per_ip = 256;         ///< connections of one client address; 0: any number
    /// A proxy in front names the client with the PROXY protocol, on every connection.
    bool proxy_protocol = false;
    EndpointTls tls = {};
    /// Seals and signs cookies and tokens; at least 32 bytes where they are used.
    Secret secret = {};
    /// Secrets of before: what they sealed is still opened. Drop one when that has expired.
    std::vector<Secret> older_secrets = {};
    /// A listening socket that the launcher holds; -1: open one. Not configurable.
    int inherited_listener = -1;
};
BENNU_RECORD(EndpointOptions, host, port, environment, max_body, max_connections, head_timeout,
             body_timeout, send_timeout, idle_timeout, min_body_rate, max_requests, per_ip,
             proxy_protocol, tls, secret, older_secrets)

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
    Task<net::HttpResponse> handle(net::HttpRequest request) const override;
    net::HttpResponse failure(int status, std::string_view code,
                              std::string_view message) const override;

    const EndpointOptions& options() const { return options_; }
    const Router& router() const { return *router_; }
    net::HttpServerOptions server_options() const;

  private:
    Endpoint(EndpointOptions options, std::shared_ptr<Router> router);

    EndpointOptions options_;
    std::shared_ptr<const Router> router_;
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

}  // namespace bennu
