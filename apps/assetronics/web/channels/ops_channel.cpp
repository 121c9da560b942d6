#include "apps/assetronics/web/channels/ops_channel.hpp"

#include "bennu/base/log.hpp"

namespace assetronics::web {

using namespace bennu;
using namespace std::chrono_literals;

namespace {

struct OperationRequest {
    std::string pid;
    std::optional<int> seconds;
};
BENNU_RECORD(OperationRequest, pid, seconds)

struct PracticeRequest {
    bool running = false;
};
BENNU_RECORD(PracticeRequest, running)

/// Whoever guesses waits, on every connection.
constexpr Duration wrong_token_pause = 1s;

}  // namespace

Task<Join> OpsChannel::join(Topic, Json params) {
    const std::string token(params.get<std::string_view>("token").value_or(""));
    Result<> admitted = ops::admit(*access_, token);
    if (!admitted) {
        if (admitted.error().code() == "token_wrong") {
            log_warning("a wrong operations token",
                        {{"name", assigns().get<std::string>("name").value_or("")}});
            co_await bennu::sleep(wrong_token_pause);
        }
        co_return admitted.error();
    }
    const std::int64_t milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(ops::tick).count();
    co_return Join::ok(
        Json::object({{"practice", access_->development}, {"tick_ms", milliseconds}}));
}

Task<> OpsChannel::after_join() {
    co_await begin();
}

Task<> OpsChannel::begin() {
    // Between its end and its next start there is nobody to watch.
    Result<Payload> all = Error(ErrorKind::closed);
    for (int i = 0; i < 50 && !all; ++i) {
        if (i > 0) co_await bennu::sleep(20ms);
        const Pid watched = ops::watched();
        if (!watched) continue;
        monitor(watched);
        all = co_await ops::watch();
    }
    // Without it this channel is of no use: the client rejoins.
    push("everything", all.value());
}

Task<> OpsChannel::handle_down(Down) {
    co_await begin();
}

Task<Reply> OpsChannel::handle_in(Event event, Json payload) {
    if (const auto action = enum_from<ops::Action>(event.name))
        co_return co_await operate(*action, payload);
    if (event == "practice") co_return co_await practice(payload);
    if (event == "refresh") {
        Result<Payload> all = co_await ops::everything();
        if (!all) co_return all.error();
        push("everything", *all);
        co_return Reply::ok();
    }
    co_return unknown(event);
}

Task<Reply> OpsChannel::operate(ops::Action action, const Json& payload) {
    Result<OperationRequest> request = payload_as<OperationRequest>(payload);
    if (!request) co_return request.error();
    ops::Operation operation{.action = action, .pid = std::move(request->pid)};
    operation.seconds = request->seconds.value_or(operation.seconds);
    operation.by = assigns().get<std::string>("name").value_or("somebody");
    Result<> done = co_await ops::operate(std::move(operation));
    if (!done) co_return done.error();
    co_return Reply::ok();
}

Task<Reply> OpsChannel::practice(const Json& payload) {
    if (!access_->development) {
        co_return Error(ErrorKind::forbidden, "development_only",
                        "The practice crew is for development only.");
    }
    Result<PracticeRequest> request = payload_as<PracticeRequest>(payload);
    if (!request) co_return request.error();
    Result<> done =
        request->running ? co_await ops::start_practice() : co_await ops::stop_practice();
    if (!done) co_return done.error();
    co_return Reply::ok();
}

}  // namespace assetronics::web
