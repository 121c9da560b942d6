#include "bennu/net/http_guard.hpp"

#include "bennu/base/log.hpp"

namespace bennu::net {

namespace {

std::string await_points(const ExitReason& reason) {
    std::string at;
    for (const std::string& await : reason.awaits())
        at.append(at.empty() ? "" : " < ").append(await);
    return at;
}

}  // namespace

HttpResponse& answer_of(Contained<HttpResponse>& outcome, const HttpHandler& handler,
                        const RequestLine& line) {
    if (outcome) return *outcome.value;
    ExitReason reason = ExitReason::from_fault(*outcome.fault);
    log_error("a request crashed", {{"method", line.method},
                                    {"target", line.target},
                                    {"reason", reason.describe()},
                                    {"at", await_points(reason)}});
    return outcome.value.emplace(
        handler.failure(500, "internal", "something went wrong on our side"));
}

Task<bool> guarded_produce(const BodyProducer* producer, BodyWriter out) {
    auto outcome = co_await contain(producer->run(std::move(out)));
    if (!outcome) {
        ExitReason reason = ExitReason::from_fault(*outcome.fault);
        log_error("a streamed answer crashed",
                  {{"reason", reason.describe()}, {"at", await_points(reason)}});
        co_return false;
    }
    if (*outcome.value) co_return true;
    const Error& error = outcome.value->error();
    if (error.kind() != ErrorKind::closed) {
        log_warning("a streamed answer ended early", {{"reason", error.describe()}});
    }
    co_return false;
}

}  // namespace bennu::net
