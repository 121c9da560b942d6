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

/// The section `endpoint` of an app's configuration.
struct EndpointOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 4000;
    Environment environment = Environment::prod;
    std::uint64_t max_body = 8'000'000;  ///< bytes, unless the route says otherwise
    std::uint64_t max_connections = 0;   ///< 0: from the descriptor limit
    Duration head_timeout = std::chrono::seconds(10);
    Duration body_timeout = std::chrono::seconds(60);
    Duration idle_timeout = std::chrono::seconds(60);
    /// Seals and signs cookies and tokens; at least 32 bytes where they are used.
    Secret secret = {};
    /// Secrets of before: what they sealed is still opened. Drop one when that has expired.
    std::vector<Secret> older_secrets = {};
    /// A listening socket that the launcher holds; -1: open one. Not configurable.
    int inherited_listener = -1;
};
BENNU_RECORD(EndpointOptions, host, port, environment, max_body, max_connections, head_timeout,
             body_timeout, idle_timeout, secret, older_secrets)

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

    std::uint64_t body_limit(const net::RequestHead& head) const override;
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

/// The endpoint as a child of a supervision tree, registered under its id: a net::HttpServer. A
/// router with mistakes fails the start.
ChildSpec child_endpoint(EndpointOptions options, std::shared_ptr<Router> router,
                         ChildOptions child = {.id = "endpoint",
                                               .name = "endpoint",
                                               .shutdown = std::chrono::seconds(15)});

}  // namespace bennu
