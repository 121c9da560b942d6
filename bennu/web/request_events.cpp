#include "bennu/web/request_events.hpp"

#include "bennu/base/events.hpp"

namespace bennu::detail {

namespace {

constinit EventName request_start{"web.request.start"};
constinit EventName request_stop{"web.request.stop"};
constinit EventName request_exception{"web.request.exception"};
constinit EventName route_start{"web.route.start"};
constinit EventName route_stop{"web.route.stop"};
constinit EventName route_exception{"web.route.exception"};

/// Tests also ask without a runtime.
Duration since(Instant from) {
    return on_shard() ? now() - from : Duration::zero();
}

}  // namespace

RequestEvents::RequestEvents(ConnState& state) : state_(state) {
    if (!request_start.heard()) return;
    emit(request_start, {}, {{"method", state_.handle().method_text()}});
}

RequestEvents::~RequestEvents() {
    if (stopped_) return;
    // Nobody got an answer, hence no status.
    exception("exit", "cancelled");
    stop(0, 0);
}

std::string_view RequestEvents::route() const {
    const Route* route = state_.match.route;
    return route ? std::string_view(route->options.name) : std::string_view();
}

void RequestEvents::action_begins() {
    in_action_ = true;
    if (on_shard()) action_began_ = now();
    if (!route_start.heard()) return;
    emit(route_start, {},
         {{"method", net::to_string(state_.match.route->method)}, {"route", route()}});
}

void RequestEvents::fault(const Fault& fault) {
    exception("error", fault.describe());
}

void RequestEvents::exception(std::string_view kind, std::string_view reason) {
    if (std::exchange(failed_, true)) return;
    const Conn conn = state_.handle();
    emit(request_exception, {{"duration", since(conn.received())}},
         {{"method", conn.method_text()}, {"route", route()}, {"kind", kind}, {"reason", reason}});
    if (!in_action_) return;
    emit(route_exception, {{"duration", since(action_began_)}},
         {{"method", net::to_string(state_.match.route->method)},
          {"route", route()},
          {"kind", kind},
          {"reason", reason}});
}

void RequestEvents::refused(const net::RefusedRequest& request) {
    emit(request_start, {}, {{"method", request.method}});
    emit(request_stop, {{"duration", since(request.received)}, {"bytes", 0}},
         {{"method", request.method}, {"route", ""}, {"status", request.status}});
}

void RequestEvents::stop(const Response& response) {
    stop(response.status, response.body_size().value_or(0));
}

void RequestEvents::stop(int status, std::uint64_t bytes) {
    if (in_action_ && !failed_ && route_stop.heard()) {
        emit(route_stop, {{"duration", since(action_began_)}},
             {{"method", net::to_string(state_.match.route->method)}, {"route", route()}});
    }
    stopped_ = true;
    if (!request_stop.heard()) return;
    const Conn conn = state_.handle();
    emit(request_stop, {{"duration", since(conn.received())}, {"bytes", bytes}},
         {{"method", conn.method_text()}, {"route", route()}, {"status", status}});
}

}  // namespace bennu::detail
