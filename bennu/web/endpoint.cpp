#include "bennu/web/endpoint.hpp"

#include <set>

#include "bennu/base/events.hpp"
#include "bennu/net/https_redirect.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/launcher/work.hpp"
#include "bennu/runtime/within.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/exchange.hpp"

namespace bennu {

namespace {

inline constinit EventName request_stop{"web.request.stop"};

void announce(const Conn& conn, const Response& response) {
    Duration took = on_shard() ? now() - conn.received() : Duration::zero();
    const Route* route = conn.route();
    emit(request_stop, {{"duration", took}, {"bytes", response.body_size().value_or(0)}},
         {{"method", conn.method_text()},
          {"route", route ? std::string_view(route->options.name) : std::string_view()},
          {"status", response.status}});
}

/// Tells each plug of the table of the endpoint, once.
Result<> start_plugs(const Router& router, const EndpointOptions& options) {
    std::set<const detail::PlugTarget*> seen;
    for (const Pipeline* pipeline : router.pipelines()) {
        for (const Plug& plug : *pipeline) {
            const detail::PlugTarget& target = plug.target();
            if (!target.start || !seen.insert(&target).second) continue;
            if (Result<> started = target.start(options); !started) return started;
        }
    }
    return {};
}

}  // namespace

Result<KeyRing> endpoint_keys(const EndpointOptions& options, std::string_view purpose) {
    std::vector<Secret> secrets{options.secret};
    secrets.insert(secrets.end(), options.older_secrets.begin(), options.older_secrets.end());
    for (const Secret& secret : secrets) {
        if (secret.reveal().size() >= 32) continue;
        return Error(ErrorKind::invalid, "no_secret",
                     "endpoint.secret (and each of older_secrets) needs at least 32 bytes");
    }
    return KeyRing(secrets, purpose);
}

Endpoint::Endpoint(EndpointOptions options, std::shared_ptr<Router> router)
    : options_(std::move(options)), router_(std::move(router)) {}

Result<std::shared_ptr<const Endpoint>> Endpoint::make(EndpointOptions options,
                                                       std::shared_ptr<Router> router) {
    Result<> compiled = router->compile();
    if (!compiled) return std::move(compiled).error();
    if (Result<> started = start_plugs(*router, options); !started) {
        return std::move(started).error();
    }
    return std::shared_ptr<const Endpoint>(new Endpoint(std::move(options), std::move(router)));
}

net::BodyPlan Endpoint::body_plan(const net::RequestHead& head) const {
    net::BodyPlan plan{.limit = options_.max_body};
    PathSegments path;
    if (!path.parse(head.path())) return plan;
    RouteMatch match;
    router_->match(head.method, path.all(), match, head.host());
    if (!match.route) return plan;
    const RouteOptions& route = match.route->options;
    plan.limit = route.body_limit.value_or(options_.max_body);
    if (route.stream_body) plan.delivery = net::BodyPlan::Delivery::streamed;
    return plan;
}

Task<net::HttpResponse> Endpoint::handle(net::HttpRequest request) const {
    auto* state = new detail::ConnState(std::move(request));
    Conn conn = state->handle();
    state->development = options_.environment == Environment::dev;
    detail::Exchange exchange(*state, *router_);
    std::optional<WorkLabel> label;
    const Route* labelled = nullptr;
    while (true) {
        // A plug may have sent the request to another route.
        if (conn.route() != labelled) {
            labelled = conn.route();
            label.reset();
            if (labelled) label.emplace(labelled->work);
        }
        if (const Plug* plug = exchange.next_plug()) {
            if (plug->target().before_async) {
                auto outcome = co_await contain(plug->target().before_async(conn));
                exchange.take(std::move(outcome));
            } else {
                exchange.run(*plug);
            }
        } else if (const Action* action = exchange.next_action()) {
            if (action->suspends() && exchange.time_limit() > Duration::zero()) {
                auto outcome = co_await contain(within(action->start(conn), exchange.time_limit()));
                exchange.take(std::move(outcome));
            } else if (action->suspends()) {
                auto outcome = co_await contain(action->start(conn));
                exchange.take(std::move(outcome));
            } else {
                exchange.run(*action);
            }
        } else {
            break;
        }
    }
    while (const Plug* plug = exchange.next_after()) {
        if (plug->target().after_async) {
            auto outcome = co_await contain(plug->target().after_async(conn, exchange.response()));
            exchange.take_after(std::move(outcome));
        } else {
            exchange.run_after(*plug);
        }
    }
    Response response = exchange.finish();
    announce(conn, response);
    co_return std::move(response);
}

net::HttpResponse Endpoint::failure(int status, std::string_view code,
                                    std::string_view message) const {
    Error error(status >= 500 ? ErrorKind::internal : ErrorKind::invalid, std::string(code),
                std::string(message));
    return detail::render_error(nullptr, status, error);
}

net::HttpServerOptions Endpoint::server_options() const {
    net::HttpServerOptions server;
    server.address = {options_.host, options_.port};
    server.inherited_listener = options_.inherited_listener;
    server.limits.body = options_.max_body;
    server.head_timeout = options_.head_timeout;
    server.body_timeout = options_.body_timeout;
    server.send_timeout = options_.send_timeout;
    server.idle_timeout = options_.idle_timeout;
    server.min_body_rate = options_.min_body_rate;
    server.max_requests = options_.max_requests;
    server.per_ip = options_.per_ip;
    server.proxy_protocol = options_.proxy_protocol;
    if (!options_.tls.certificates.empty()) {
        net::TlsOptions& tls = server.tls.emplace();
        for (const CertificateFiles& files : options_.tls.certificates) {
            tls.certificates.push_back(
                {.certificate_file = files.certificate_file, .key_file = files.key_file});
        }
        tls.handshake_timeout = options_.tls.handshake_timeout;
        tls.ticket_secret = options_.secret;
    }
    server.max_connections = options_.max_connections;
    return server;
}

ChildSpec child_https_redirect(const EndpointOptions& options, ChildOptions child_options) {
    net::HttpServerOptions server;
    server.address = {options.host, options.tls.redirect_port};
    server.per_ip = options.per_ip;
    server.proxy_protocol = options.proxy_protocol;
    std::shared_ptr<const net::HttpHandler> handler =
        std::make_shared<net::HttpsRedirect>(options.tls.public_port);
    return child<net::HttpServer>(std::move(child_options), std::move(server), std::move(handler));
}

ChildSpec child_endpoint(EndpointOptions options, std::shared_ptr<Router> router,
                         ChildOptions child_options) {
    auto endpoint = Endpoint::make(std::move(options), std::move(router));
    if (endpoint) {
        auto server_options = (*endpoint)->server_options();
        std::shared_ptr<const net::HttpHandler> handler = *std::move(endpoint);
        return child<net::HttpServer>(std::move(child_options), std::move(server_options),
                                      std::move(handler));
    }
    ChildSpec broken;
    broken.id = child_options.id;
    broken.start = [error = endpoint.error()]() -> Task<Result<Pid>> { co_return error; };
    return broken;
}

}  // namespace bennu
