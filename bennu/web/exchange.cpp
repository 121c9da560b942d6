#include "bennu/web/exchange.hpp"

#include <algorithm>
#include <iterator>

#include "bennu/base/log.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/exit.hpp"
#include "bennu/web/error_page.hpp"
#include "bennu/web/source_excerpt.hpp"

namespace bennu::detail {

namespace {

Response crashed(const Conn& conn, const Fault& fault) {
    ExitReason reason = ExitReason::from_fault(fault);
    std::string at;
    for (const std::string& await : reason.awaits()) at += (at.empty() ? "" : " < ") + await;
    log_error("a request crashed", {{"method", conn.method_text()},
                                    {"path", conn.path()},
                                    {"request_id", conn.request_id()},
                                    {"reason", reason.describe()},
                                    {"at", at}});
    if (conn.development() && conn.wants_html()) {
        std::vector<std::string> lines;
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
    return render_error(&conn, 500, Error(ErrorKind::internal, "internal", fault.describe()));
}

Response refuse_handshake(const Conn& conn, const net::HandshakeRefusal& refusal) {
    if (!net::wants_websocket(conn.head())) {
        return error_status(conn, 426, "upgrade_required", "Only a WebSocket can be opened here.")
            .with_header("upgrade", "websocket")
            .with_header("connection", "upgrade");
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

/// 404; a developer's browser also sees which paths there are.
Response nothing_here(const Conn& conn, const Router& router) {
    if (!conn.development() || !conn.wants_html()) return not_found(conn);
    return render_error_page({.status = 404,
                              .message = "No route and no file for " + std::string(conn.path()),
                              .request_id = std::string(conn.request_id()),
                              .detail = router.describe()});
}

}  // namespace

Exchange::Exchange(ConnState& state, const Router& router) : state_(state), router_(router) {
    Conn conn = state.handle();
    if (Result<> parsed = state.path.parse(state.request.head.path()); !parsed) {
        response_ = render_error(&conn, 400, parsed.error());
        refused_ = true;
        return;
    }
    route();
}

void Exchange::route() {
    Conn conn = state_.handle();
    RouteMatch& match = state_.match;
    router_.match(conn.method(), state_.path.all(), match, conn.host());
    own_ = match.route ? &match.route->plugs : match.file ? match.file_plugs : nullptr;
    if (!match.route) return;
    if (auto left = quarantined(match.route->work)) {
        response_ = in_quarantine(conn, *left);
        refused_ = true;
    } else if (match.route->websocket) {
        auto check = net::check_websocket_request(conn.head());
        if (!check.ok) {
            response_ = refuse_handshake(conn, check.refusal);
            refused_ = true;
        }
    }
}

const Plug* Exchange::plug_at(std::size_t index) const {
    const Pipeline& shared = router_.plugs();
    if (index < shared.size()) return &shared[index];
    index -= shared.size();
    return own_ && index < own_->size() ? &(*own_)[index] : nullptr;
}

const Plug* Exchange::next_plug() {
    while (!response_) {
        if (state_.reroute && ran_ >= router_.plugs().size()) {
            state_.reroute = false;
            route();
            continue;
        }
        const Plug* plug = plug_at(ran_);
        if (!plug) return nullptr;
        ++ran_;
        if (plug->target().before || plug->target().before_async) return plug;
    }
    return nullptr;
}

const Action* Exchange::next_action() {
    if (response_) return nullptr;
    if (state_.match.route) return &state_.match.route->action;
    response_ = answer_without_route();
    return nullptr;
}

Response Exchange::answer_without_route() {
    Conn conn = state_.handle();
    const RouteMatch& match = state_.match;
    using Outcome = RouteMatch::Outcome;
    switch (match.outcome) {
        case Outcome::found:
            return StaticFiles::serve(conn, *match.file);
        case Outcome::not_found:
            return nothing_here(conn, router_);
        case Outcome::options:
            return Response(204).with_header("allow", match.allow);
        case Outcome::method_not_allowed:
            break;
    }
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
        response_ = crashed(conn, *fault);
    }
}

const Plug* Exchange::next_after() {
    // A request that was refused before any plug still gets its log line and its headers.
    if (std::exchange(refused_, false)) ran_ = router_.plugs().size();
    while (ran_ > 0) {
        const Plug* plug = plug_at(--ran_);
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

Response Exchange::finish() {
    try {
        finish_response(state_, *response_);
    } catch (...) {
        fault_in_flight();
    }
    return std::move(*response_);
}

}  // namespace bennu::detail
