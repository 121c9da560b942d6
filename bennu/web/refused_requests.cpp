#include "bennu/web/refused_requests.hpp"

#include <algorithm>

#include "bennu/base/excerpt.hpp"
#include "bennu/base/log.hpp"
#include "bennu/net/allowance.hpp"
#include "bennu/runtime/context.hpp"
#include "bennu/web/request_events.hpp"

namespace bennu::detail {

namespace {

struct RefusedLines {
    static constexpr std::uint32_t at_once = 50, per_second = 5;
    net::Allowance allowance{at_once, per_second};
    std::uint64_t left_out = 0;
};

/// The pattern in the place of a path with parameters that logs do not show.
std::string shown(const net::RefusedRequest& request, const Router& router,
                  const ParameterFilter& filter) {
    PathSegments path;
    if (request.path.starts_with('/') && path.parse(request.path)) {
        RouteMatch match;
        router.match(net::method_from(request.method), path.all(), match);
        const bool hidden =
            match.route && std::ranges::any_of(match.route->params, [&](const std::string& name) {
                return filter.hides(name);
            });
        if (hidden) return match.route->pattern;
    }
    return std::string(excerpt(request.path));
}

}  // namespace

void note_refused(const net::RefusedRequest& request, const Router& router,
                  const ParameterFilter& filter) {
    RequestEvents::refused(request);
    // The others, 501 and 505 among them, are their clients' mistakes.
    const LogLevel level = request.status == 503 ? LogLevel::warning : LogLevel::info;
    if (!log_enabled(level)) return;
    auto& lines = shard_local<RefusedLines>();
    if (!lines.allowance.spend(now())) {
        ++lines.left_out;
        return;
    }
    log_at(level, "request",
           {{"method", request.method},
            {"path", shown(request, router, filter)},
            {"status", request.status},
            {"duration", now() - request.received},
            {"why", request.code},
            {"peer", request.peer.host},
            {"others", std::exchange(lines.left_out, 0)}});
}

}  // namespace bennu::detail
