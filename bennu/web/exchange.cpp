#include "bennu/web/exchange.hpp"

#include "bennu/base/log.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/exit.hpp"
#include "bennu/web/error_page.hpp"

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
        return render_error_page({.status = 500,
                                  .message = "The request crashed.",
                                  .request_id = std::string(conn.request_id()),
                                  .detail = fault.describe(),
                                  .lines = reason.awaits()});
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
    router.match(state.request.head.method, state.path.all(), state.match);
    const RouteMatch& match = state.match;
    own_ = match.route ? &match.route->plugs : match.file ? match.file_plugs : nullptr;
    if (!match.route) return;
    if (auto left = quarantined(match.route->work)) {
        response_ = in_quarantine(conn, *left);
        refused_ = true;
    } else if (match.route->websocket) {
        auto check = net::check_websocket_request(state.request.head);
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

Response Exchange::finish() {
    Conn conn = state_.handle();
    // A request that was refused before any plug still gets its log line and its headers.
    std::size_t count = refused_ ? router_.plugs().size() : ran_;
    for (std::size_t i = count; i-- > 0;) {
        const PlugTarget& plug = plug_at(i)->target();
        if (!plug.after) continue;
        try {
            plug.after(conn, *response_);
        } catch (...) {
            fault_in_flight();
        }
    }
    try {
        finish_response(state_, *response_);
    } catch (...) {
        fault_in_flight();
    }
    return std::move(*response_);
}

}  // namespace bennu::detail
