#include "bennu/web/health.hpp"

namespace bennu {

namespace {

Response state(const Conn& conn, int status, std::string_view word) {
    return json(conn, status, Json::object({{"status", word}}))
        .with_header("cache-control", "no-store");
}

}  // namespace

void health_routes(RouteScope& scope, std::shared_ptr<const ReadyFlag> ready) {
    // The names of Kubernetes, old and new.
    for (std::string_view live : {"/livez", "/healthz"})
        scope.get(live, [](Conn conn) { return state(conn, 200, "ok"); },
                  {.reserved = true, .log = LogLevel::off});
    scope.get("/readyz",
              [ready = std::move(ready)](Conn conn) {
                  return ready->get() ? state(conn, 200, "ready") : state(conn, 503, "not_ready");
              },
              {.reserved = true, .log = LogLevel::off});
}

}  // namespace bennu
