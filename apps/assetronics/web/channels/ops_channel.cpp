#include "apps/assetronics/web/channels/ops_channel.hpp"

#include "bennu/base/log.hpp"

namespace assetronics::web {

using namespace bennu;
using namespace std::chrono_literals;

namespace {

struct OpsParams {
    std::optional<std::string> token;
};
BENNU_RECORD(OpsParams, token)

struct OpsJoined {
    bool practice = false;  ///< whether this node offers a practice crew
    std::int64_t tick_ms = 0;
};
BENNU_RECORD(OpsJoined, practice, tick_ms)

/// Whoever guesses waits, on every connection.
constexpr Duration wrong_token_pause = 1s;

}  // namespace

ChannelTypes OpsChannel::types() {
    return ChannelTypes("OpsChannel")
        .joins<OpsParams, OpsJoined>()
        .on<&OpsChannel::operate>("crash")
        .on<&OpsChannel::operate>("hang")
        .on<&OpsChannel::operate>("kill")
        .on<&OpsChannel::practice>("practice")
        .on<&OpsChannel::refresh>("refresh")
        .sends<ops::TreeSeen>("everything")
        .sends<ops::TreeChanges>("changes")
        .json<&ops::TreeChanges::changed>(JsonShape::part_of<ops::ProcessRow>({"key"}).list());
}

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
    co_return Join::ok(OpsJoined{access_->development, milliseconds});
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

Task<Result<>> OpsChannel::operate(OperationRequest request, Event event) {
    ops::Operation operation{.action = enum_from<ops::Action>(event.name).value(),
                             .pid = std::move(request.pid)};
    operation.seconds = request.seconds.value_or(operation.seconds);
    operation.by = assigns().get<std::string>("name").value_or("somebody");
    co_return co_await ops::operate(std::move(operation));
}

Task<Result<>> OpsChannel::practice(PracticeRequest request) {
    if (!access_->development) {
        co_return Error(ErrorKind::forbidden, "development_only",
                        "The practice crew is for development only.");
    }
    co_return request.running ? co_await ops::start_practice() : co_await ops::stop_practice();
}

Task<Result<>> OpsChannel::refresh() {
    Result<Payload> all = co_await ops::everything();
    if (!all) co_return all.error();
    push("everything", *all);
    co_return {};
}

}  // namespace assetronics::web
