#include "bennu/web/endpoint.hpp"

#include "bennu/base/events.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/launcher/work.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/exchange.hpp"

namespace bennu {

namespace {

inline constinit EventName request_stop{"web.request.stop"};

void announce(const Conn& conn, const Response& response) {
    Duration took = on_shard() ? now() - conn.received() : Duration::zero();
    const Route* route = conn.route();
    emit(request_stop, {{"duration", took}, {"bytes", response.body_view().size()}},
         {{"method", conn.method_text()},
          {"route", route ? std::string_view(route->options.name) : std::string_view()},
          {"status", response.status}});
}

}  // namespace

Endpoint::Endpoint(EndpointOptions options, std::shared_ptr<Router> router)
    : options_(std::move(options)), router_(std::move(router)) {}

Result<std::shared_ptr<const Endpoint>> Endpoint::make(EndpointOptions options,
                                                       std::shared_ptr<Router> router) {
    Result<> compiled = router->compile();
    if (!compiled) return std::move(compiled).error();
    return std::shared_ptr<const Endpoint>(new Endpoint(std::move(options), std::move(router)));
}

std::uint64_t Endpoint::body_limit(const net::RequestHead& head) const {
    if (!head.has_body()) return options_.max_body;
    PathSegments path;
    if (!path.parse(head.path())) return options_.max_body;
    RouteMatch match;
    router_->match(head.method, path.all(), match);
    return match.route ? match.route->options.body_limit.value_or(options_.max_body)
                       : options_.max_body;
}

Task<net::HttpResponse> Endpoint::handle(net::HttpRequest request) const {
    auto* state = new detail::ConnState(std::move(request));
    Conn conn = state->handle();
    state->development = options_.environment == Environment::dev;
    detail::Exchange exchange(*state, *router_);
    std::optional<WorkLabel> label;
    if (conn.route()) label.emplace(conn.route()->work);
    while (true) {
        if (const Plug* plug = exchange.next_plug()) {
            if (plug->target().before_async) {
                auto outcome = co_await contain(plug->target().before_async(conn));
                exchange.take(std::move(outcome));
            } else {
                exchange.run(*plug);
            }
        } else if (const Action* action = exchange.next_action()) {
            if (action->suspends()) {
                auto outcome = co_await contain(action->start(conn));
                exchange.take(std::move(outcome));
            } else {
                exchange.run(*action);
            }
        } else {
            break;
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
    server.idle_timeout = options_.idle_timeout;
    server.max_connections = options_.max_connections;
    return server;
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
