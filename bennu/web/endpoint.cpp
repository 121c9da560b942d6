#include "bennu/web/endpoint.hpp"

#include <algorithm>
#include <set>

#include "bennu/net/https_redirect.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/launcher/work.hpp"
#include "bennu/runtime/within.hpp"
#include "bennu/web/certificate_watch.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/endpoint_config.hpp"
#include "bennu/web/exchange.hpp"
#include "bennu/web/receive_body.hpp"
#include "bennu/web/refused_requests.hpp"

namespace bennu {

namespace {

/// A form may say that it stands for a method that its path does take (`MethodOverride`).
bool form_may_change_method(const net::RequestHead& head, const RouteMatch& match) {
    const bool others = match.allow.contains("PUT") || match.allow.contains("PATCH") ||
                        match.allow.contains("DELETE");
    return head.method == net::Method::post && others &&
           match.outcome == RouteMatch::Outcome::method_not_allowed &&
           detail::is_form_type(head.headers.get("content-type"));
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

Endpoint::Endpoint(EndpointOptions options, std::shared_ptr<Router> router, HostList hosts)
    : options_(std::move(options)),
      router_(std::move(router)),
      filter_(options_.filter_parameters),
      hosts_(std::move(hosts)),
      cookie_hint_(options_.environment) {}

Result<std::shared_ptr<const Endpoint>> Endpoint::make(EndpointOptions options,
                                                       std::shared_ptr<Router> router) {
    Result<> compiled = router->compile();
    if (!compiled) return std::move(compiled).error();
    if (Result<> started = start_plugs(*router, options); !started) {
        return std::move(started).error();
    }
    Result<HostList> hosts = HostList::make(options);
    if (!hosts) return std::move(hosts).error();
    std::shared_ptr<Endpoint> endpoint(
        new Endpoint(std::move(options), std::move(router), *std::move(hosts)));
    const std::vector<Route>& routes = endpoint->router_->routes();
    if (std::ranges::any_of(routes, [](const Route& r) { return r.options.uploads.has_value(); })) {
        auto folder = detail::UploadFolder::open(endpoint->options_.upload_folder,
                                                 endpoint->options_.upload_space);
        if (!folder) return std::move(folder).error();
        endpoint->uploads_ = *std::move(folder);
    }
    return std::shared_ptr<const Endpoint>(std::move(endpoint));
}

net::BodyPlan Endpoint::body_plan(const net::RequestHead& head) const {
    net::BodyPlan plan{.limit = options_.max_body};
    // Nobody reads a body where there is no route for it: it is answered at once.
    const net::BodyPlan unread{.limit = UINT64_MAX, .delivery = net::BodyPlan::Delivery::streamed};
    PathSegments path;
    if (!path.parse(head.path())) return unread;
    RouteMatch match;
    router_->match(head.method, path.all(), match, head.host());
    if (!match.route) return form_may_change_method(head, match) ? plan : unread;
    const RouteOptions& route = match.route->options;
    if (!route.head_limits.admit(head.headers)) return unread;
    plan.limit = route.body_limit.value_or(options_.max_body);
    // Plugs that need no body may refuse the request before it comes.
    plan.delivery = net::BodyPlan::Delivery::deferred;
    if (match.route->use && match.route->use->full()) {
        plan.delivery = net::BodyPlan::Delivery::refused;
    } else if (route.stream_body) {
        plan.delivery = net::BodyPlan::Delivery::streamed;
    } else if (route.uploads) {
        if (detail::goes_to_disk(*route.uploads, head.headers.get("content-type"))) {
            plan.delivery = net::BodyPlan::Delivery::streamed;
        } else {
            plan.limit = std::min(plan.limit, options_.max_body);
        }
    }
    return plan;
}

bool Endpoint::reserved(const net::RequestHead& head, net::Admission::Verdict verdict) const {
    PathSegments path;
    if (!path.parse(head.path())) return false;
    RouteMatch match;
    router_->match(head.method, path.all(), match, head.host());
    if (!match.route) return false;
    const RouteOptions& options = match.route->options;
    return options.reserved || (options.patient && verdict == net::Admission::Verdict::queue);
}

/// No coroutine: the request goes to where it stays, and not into a frame first.
[[clang::coro_wrapper]] Task<net::HttpResponse> Endpoint::handle(net::HttpRequest request) const {
    auto* state = new detail::ConnState(std::move(request));
    Conn conn = state->handle();
    state->development = options_.environment == Environment::dev;
    state->filter = &filter_;
    state->errors = &router_->error_views();
    return answer(std::move(conn));
}

Task<net::HttpResponse> Endpoint::answer(Conn conn) const {
    detail::Exchange exchange(conn.state(), *router_, hosts_);
    std::optional<WorkLabel> label;
    const Route* labelled = nullptr;
    while (true) {
        // A plug may have sent the request to another route.
        if (conn.route() != labelled) {
            labelled = conn.route();
            label.reset();
            if (labelled) label.emplace(labelled->work);
        }
        if (exchange.body_due()) {
            detail::ReceiveOptions receive{options_.max_body, uploads_};
            auto received = co_await contain(detail::receive_body(conn, std::move(receive)));
            exchange.take_body(std::move(received));
            continue;
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
    exchange.finish();
    cookie_hint_.look_at(conn, exchange.response());
    co_return std::move(exchange.response());
}

void Endpoint::refused(const net::RefusedRequest& request) const {
    detail::note_refused(request, *router_, filter_);
}

net::HttpResponse Endpoint::failure(int status, std::string_view code,
                                    std::string_view message) const {
    const ErrorKind kind = status == 500  ? ErrorKind::internal
                           : status > 500 ? ErrorKind::unavailable
                                          : ErrorKind::invalid;
    Error error(kind, std::string(code), std::string(message));
    return detail::render_error(router_->error_views(), status, error);
}

net::HttpServerOptions Endpoint::server_options() const {
    net::HttpServerOptions server;
    server.address = {options_.host, options_.port};
    server.inherited_listener = options_.inherited_listener;
    server.limits.body = options_.max_body;
    server.limits.request_line = options_.max_request_line;
    server.limits.header_line = options_.max_header_field;
    server.limits.header_bytes = options_.max_header_bytes;
    server.limits.header_count = options_.max_header_fields;
    server.head_timeout = options_.head_timeout;
    server.body_timeout = options_.body_timeout;
    server.send_timeout = options_.send_timeout;
    server.idle_timeout = options_.idle_timeout;
    server.min_body_rate = options_.min_body_rate;
    server.max_requests = options_.max_requests;
    server.http2.streams = options_.http2_streams;
    server.per_ip = options_.per_ip;
    server.admission.queue_delay = options_.max_queue_delay;
    server.admission.memory = options_.max_memory;
    server.drain.batch = options_.drain_batch;
    server.drain.pause = options_.drain_pause;
    server.proxy_protocol = options_.proxy_protocol;
    if (!options_.tls.certificates.empty()) {
        server.tls = tls_options(options_.tls);
        server.tls->ticket_secret = options_.secret;
    }
    server.interim_responses = options_.early_hints;
    server.max_connections = options_.max_connections;
    if (options_.workers > 1) server.when_full = net::HttpServerOptions::WhenFull::leave;
    return server;
}

ChildSpec child_https_redirect(const EndpointOptions& options, ChildOptions child_options) {
    net::HttpServerOptions server;
    server.address = {options.host, options.tls.redirect_port};
    // A node that replaces another one listens while that one still does.
    server.reuse_port = true;
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

std::vector<ChildSpec> endpoint_children(EndpointOptions options, std::shared_ptr<Router> router) {
    std::vector<ChildSpec> children;
    if (!options.tls.certificates.empty()) {
        // First, so that no change escapes it that the listener did not see when it started.
        if (options.tls.reload_every > Duration::zero()) {
            children.push_back(child_certificate_watch(options.tls));
        }
        if (options.tls.redirect_port != 0) children.push_back(child_https_redirect(options));
    }
    children.push_back(child_endpoint(std::move(options), std::move(router)));
    return children;
}

}  // namespace bennu
