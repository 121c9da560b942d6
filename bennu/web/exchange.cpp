#include "bennu/web/exchange.hpp"

#include <algorithm>
#include <iterator>

#include "bennu/base/events.hpp"
#include "bennu/base/excerpt.hpp"
#include "bennu/base/log.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/exit.hpp"
#include "bennu/runtime/log_bound.hpp"
#include "bennu/web/error_page.hpp"
#include "bennu/web/parameter_filter.hpp"
#include "bennu/web/source_excerpt.hpp"

namespace bennu::detail {

namespace {

Response crash_response(const Conn& conn, const Fault& fault) {
    ExitReason reason = ExitReason::from_fault(fault);
    std::string at;
    for (const std::string& await : reason.awaits()) at += (at.empty() ? "" : " < ") + await;
    log_error("a request crashed", {{"method", conn.method_text()},
                                    {"path", shown_path(conn)},
                                    {"parameters", shown_parameters(conn)},
                                    {"request_id", conn.request_id()},
                                    {"reason", reason.describe()},
                                    {"at", at}});
    if (conn.development() && conn.wants_html()) {
        std::vector<std::string> lines;
        if (std::string shown = shown_parameters(conn); !shown.empty())
            lines.push_back("parameters: " + std::move(shown));
        for (const std::string& await : reason.awaits()) {
            lines.push_back(await);
            std::ranges::move(source_excerpt(await), std::back_inserter(lines));
        }
        return render_error_page({.status = 500,
                                  .message = "The request crashed.",
                                  .request_id = std::string(conn.request_id()),
                                  .detail = fault.describe(),
                                  .lines = std::move(lines)});
    }
    return render_error(conn, 500, Error(ErrorKind::internal, "internal", fault.describe()));
}

Response refuse_handshake(const Conn& conn, const net::HandshakeRefusal& refusal) {
    if (!net::wants_websocket(conn.head())) {
        return error_status(conn, 426, "upgrade_required", "Only a WebSocket can be opened here.")
            .with_header("upgrade", "websocket");
    }
    Response response = error_status(conn, refusal.status, refusal.code, refusal.message);
    for (auto [name, value] : net::refusal_headers(refusal)) response.headers.set(name, value);
    return response;
}

/// Requests like this one ended the node again and again.
Response in_quarantine(const Conn& conn, Duration left) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
    return error_status(conn, 503, "quarantined",
                        "Requests of this kind are refused for a while, because they made the "
                        "server crash.")
        .with_header("retry-after", std::to_string(seconds));
}

constinit EventName request_refused{"web.request.refused"};

Response route_busy(const Conn& conn, const Route& route) {
    emit(request_refused, {{"limit", route.options.max_concurrent}},
         {{"why", "busy"}, {"route", route.options.name}});
    return error_status(conn, 503, "busy", "Too many requests of this kind are under way.");
}

struct UnknownHosts {
    LogBound bound;
};

std::optional<std::uint64_t> log_unknown_host() {
    if (!on_shard()) return 0;
    return shard_local<UnknownHosts>().bound.next();
}

/// Also what a page sees that made its own name lead here.
Response unknown_host(const Conn& conn) {
    const std::string why = "This server does not answer for the host \"" +
                            std::string(excerpt(conn.host())) +
                            "\". If it should, add the name to endpoint.hosts in its settings.";
    if (auto others = log_unknown_host()) {
        log_warning("a request is refused for its host", {{"host", excerpt(conn.host())},
                                                          {"peer", conn.remote_ip()},
                                                          {"why", why},
                                                          {"others", *others}});
    }
    return error_status(conn, 421, "unknown_host", why);
}

bool has_before(const Plug& plug) {
    return plug.target().before || plug.target().before_async;
}

/// 404; a developer's browser also sees which paths there are.
Response nothing_here(const Conn& conn, const Router& router) {
    if (!conn.development() || !conn.wants_html()) return not_found(conn);
    return render_error_page({.status = 404,
                              .message = "No route and no file for " + std::string(conn.path()),
                              .request_id = std::string(conn.request_id()),
                              .detail = router.describe()});
}

}  // namespace

Exchange::Exchange(ConnState& state, const Router& router, const HostList& hosts)
    : state_(state), router_(router), events_(state) {
    Conn conn = state.handle();
    state.body_waits = static_cast<bool>(state.request.stream);
    meet_client();
    if (response_) return;
    if (!hosts.admits(conn.host())) {
        refuse_now(unknown_host(conn));
        return;
    }
    if (Result<> parsed = state.path.parse(state.request.head.path()); !parsed) {
        // OPTIONS of the server, not of one of its paths.
        refusal_ = conn.path() == "*" ? Response(204).with_header("allow", router.methods())
                                      : render_error(conn, 400, parsed.error());
        return;
    }
    route();
}

void Exchange::meet_client() {
    const Pipeline& plugs = router_.plugs();
    while (!response_ && ran_ < plugs.size() && plugs[ran_].target().names_client) {
        run(plugs[ran_++]);
    }
    state_.reroute = false;
}

void Exchange::refuse_now(Response why) {
    response_ = std::move(why);
    refused_ = true;
}

bool Exchange::runs_without_body(const Plug& plug) const {
    const auto& needs_body = plug.target().needs_body;
    return !state_.body_waits || (needs_body && !needs_body(state_.handle()));
}

void Exchange::route() {
    Conn conn = state_.handle();
    RouteMatch& match = state_.match;
    router_.match(conn.method(), state_.path.all(), match, conn.host());
    own_ = match.route ? &match.route->plugs : match.file ? match.file_plugs : nullptr;
    state_.share = {};
    routed_ = true;
    refusal_.reset();
    if (!match.route) return;
    const HeadLimits& head_limits = match.route->options.head_limits;
    if (head_limits.any() && !head_limits.admit(conn.head().headers)) {
        refusal_ = error_status(conn, 431, "headers_too_large",
                                "the header fields are too large for this path");
        return;
    }
    // The action reads it.
    if (match.route->options.stream_body) state_.body_waits = false;
    // Who is still sending takes nobody's place; uploads do, whose bytes are work already.
    const bool sending = state_.body_waits && !match.route->options.uploads;
    if (sending ? match.route->use && match.route->use->full() : !take_place()) {
        refusal_ = route_busy(conn, *match.route);
    } else if (auto left = quarantined(match.route->work)) {
        // No plug looks at it: one of them may be what crashed.
        refuse_now(in_quarantine(conn, *left));
    } else if (match.route->websocket) {
        auto check = net::check_websocket_request(conn.head());
        if (!check.ok) {
            refusal_ = refuse_handshake(conn, check.refusal);
        }
    }
}

bool Exchange::take_place() {
    const Route* route = state_.match.route;
    if (!route || !route->use || state_.share) return true;
    state_.share = RouteUse::Share(*route->use);
    return static_cast<bool>(state_.share);
}

const Plug* Exchange::plug_at(std::size_t index) const {
    const Pipeline& shared = router_.plugs();
    if (index < shared.size()) return &shared[index];
    index -= shared.size();
    return own_ && index < own_->size() ? &(*own_)[index] : nullptr;
}

const Plug* Exchange::due_plug() {
    while (!response_) {
        const bool all_shared = ran_ >= router_.plugs().size();
        if (state_.reroute && all_shared && routed_) {
            state_.reroute = false;
            route();
            continue;
        }
        const Plug* plug = refusal_ && all_shared ? nullptr : plug_at(ran_);
        if (plug && !has_before(*plug)) {
            ++ran_;
        } else if (refusal_ && (!plug || !runs_without_body(*plug))) {
            refuse_now(*std::move(refusal_));
        } else {
            return plug;
        }
    }
    return nullptr;
}

const Plug* Exchange::next_plug() {
    const Plug* plug = due_plug();
    if (plug) ++ran_;
    return plug;
}

bool Exchange::body_due() {
    if (!state_.body_waits || response_) return false;
    const Plug* plug = due_plug();
    if (response_) return false;
    if (!plug) return state_.match.route != nullptr;
    const auto& needs_body = plug->target().needs_body;
    if (needs_body) return needs_body(state_.handle());
    // Without a route, and without hope for one, only who says so gets it.
    return state_.match.route || state_.reroute;
}

void Exchange::take_body(Contained<void> outcome) {
    if (!outcome) return fault(std::move(outcome.fault));
    if (!take_place()) response_ = route_busy(state_.handle(), *state_.match.route);
}

const Action* Exchange::next_action() {
    if (response_) return nullptr;
    if (state_.match.route) {
        events_.action_begins();
        return &state_.match.route->action;
    }
    response_ = answer_without_route();
    return nullptr;
}

Response Exchange::answer_without_route() {
    Conn conn = state_.handle();
    const RouteMatch& match = state_.match;
    using Outcome = RouteMatch::Outcome;
    switch (match.outcome) {
        case Outcome::found:
            return StaticFiles::serve_here(conn, *match.file);
        case Outcome::options:
            return Response(204).with_header("allow", match.allow);
        case Outcome::not_found:
        case Outcome::method_not_allowed:
            break;
    }
    // RFC 9110 9.1: a method that is known to nobody here is not one that this path lacks.
    if (conn.method() == net::Method::other) {
        return error_status(conn, 501, "method_not_implemented",
                            "This server does not know the request's method.");
    }
    if (match.outcome == Outcome::not_found) return nothing_here(conn, router_);
    return error_status(conn, 405, "method_not_allowed", "This path takes other methods.")
        .with_header("allow", match.allow);
}

void Exchange::run(const Plug& plug) {
    try {
        settle(plug.target().before(state_.handle()));
    } catch (...) {
        fault_in_flight();
    }
}

void Exchange::run(const Action& action) {
    try {
        response_ = action.run(state_.handle());
    } catch (...) {
        fault_in_flight();
    }
}

void Exchange::take(Contained<PlugResult> outcome) {
    if (!outcome) return fault(std::move(outcome.fault));
    settle(std::move(*outcome.value));
}

void Exchange::take(Contained<Response> outcome) {
    if (!outcome) return fault(std::move(outcome.fault));
    response_ = std::move(outcome.value);
}

Duration Exchange::time_limit() const {
    return state_.match.route ? state_.match.route->options.time_limit : Duration::zero();
}

void Exchange::take(Contained<Result<Response>> outcome) {
    if (!outcome) return fault(std::move(outcome.fault));
    if (*outcome.value) {
        response_ = **std::move(outcome.value);
    } else {
        response_ = error(state_.handle(), outcome.value->error());
    }
}

void Exchange::settle(PlugResult result) {
    if (result) response_ = std::move(result);
}

void Exchange::fault_in_flight() {
    auto caught = std::make_unique<Fault>();
    caught->exception = std::current_exception();
    fault(std::move(caught));
}

/// A malformed request is the client's; anything else is ours.
void Exchange::fault(std::unique_ptr<Fault> fault) {
    Conn conn = state_.handle();
    try {
        std::rethrow_exception(fault->exception);
    } catch (const RequestError& malformed) {
        response_ = error(conn, malformed.error(), {.status = malformed.status()});
    } catch (...) {
        events_.fault(*fault);
        response_ = crash_response(conn, *fault);
    }
}

const Plug* Exchange::next_after() {
    // A request that was refused on its way still gets its log line and its headers.
    if (!after_) after_ = refused_ ? std::max(ran_, router_.plugs().size()) : ran_;
    while (*after_ > 0) {
        const Plug* plug = plug_at(--*after_);
        if (*after_ >= ran_ && has_before(*plug)) continue;
        if (plug->target().after || plug->target().after_async) return plug;
    }
    return nullptr;
}

void Exchange::run_after(const Plug& plug) {
    try {
        plug.target().after(state_.handle(), *response_);
    } catch (...) {
        fault_in_flight();
    }
}

void Exchange::take_after(Contained<void> outcome) {
    if (!outcome) fault(std::move(outcome.fault));
}

void Exchange::finish() {
    try {
        finish_response(state_, *response_);
    } catch (...) {
        fault_in_flight();
    }
    events_.stop(*response_);
}

}  // namespace bennu::detail
