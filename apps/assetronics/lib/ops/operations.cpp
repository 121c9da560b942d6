// What an operator may do to the tree, and what not.
#include <algorithm>
#include <charconv>

#include "apps/assetronics/lib/ops/sampler.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/ask_shard.hpp"
#include "bennu/runtime/insight/exercise.hpp"

namespace assetronics::ops {

using namespace bennu;
using namespace std::chrono_literals;

namespace {

constexpr int longest_hang = 30;
constexpr Duration between_drills = 50ms;
/// What a supervisor of the product may spend; drills leave the last restart to a fault of its own.
constexpr RestartBudget budget;

std::size_t recent_restarts(const std::vector<RestartRow>& rows, std::string_view supervisor,
                            Timestamp at) {
    return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const RestartRow& row) {
        return row.supervisor == supervisor && at - row.at <= budget.within;
    }));
}

/// What `Pid::to_string` writes; nobody for other text.
Pid pid_of(std::string_view text) {
    std::uint32_t parts[3];
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int i = 0; i < 3; ++i) {
        if (at == end || *at != (i == 0 ? '<' : '.')) return {};
        const auto [next, failed] = std::from_chars(at + 1, end, parts[i]);
        if (failed != std::errc()) return {};
        at = next;
    }
    const bool closed = end - at == 1 && *at == '>';
    if (!closed || parts[0] > UINT8_MAX || parts[1] >= 1U << 24) return {};
    return Pid(static_cast<std::uint8_t>(parts[0]), parts[1], parts[2]);
}

/// The error about a process that has no row.
Task<Error> no_row(std::string pid) {
    const Pid parsed = pid_of(pid);
    if (parsed && parsed.shard() < shard_count()) {
        const auto lives =
            co_await ask_shard<bool>(parsed.shard(), [parsed] { return alive(parsed); });
        if (lives && *lives) {
            co_return Error(ErrorKind::conflict, "not_supervised",
                            "No supervisor of the tree would bring " + pid +
                                " back, and the end of main would be the end of the node.");
        }
    }
    co_return Error(ErrorKind::not_found, "gone", "The process " + pid + " is gone.");
}

}  // namespace

Result<> Sampler::allow(const Operation& operation, const Picture::Seen& seen) {
    if (!seen.row.guarded.empty()) return Error(ErrorKind::conflict, "guarded", seen.row.guarded);
    if (operation.action == Action::hang && seen.pid == self()) {
        return Error(ErrorKind::conflict, "guarded",
                     "It is the process that looks: nothing could be seen meanwhile.");
    }
    const Error too_soon(ErrorKind::overloaded, "too_soon",
                         "One moment: more restarts in quick succession would spend the budget of "
                         "its supervisor and escalate.");
    if (last_drill_ != Instant{} && now() - last_drill_ < between_drills) return too_soon;
    const bool ends = operation.action != Action::hang;
    if (ends && !seen.row.practice) {
        const Picture::Seen* above = picture_.find_key(seen.row.parent);
        if (above &&
            recent_restarts(history_.rows(), above->row.pid, wall_now()) + 1 >= budget.restarts)
            return too_soon;
    }
    last_drill_ = now();
    return {};
}

Task<Result<>> Sampler::handle(Operate message) {
    const Operation& operation = message.operation;
    if (operation.seconds < 1 || operation.seconds > longest_hang)
        co_return Error::field("seconds", "out_of_range", "must be from 1 to 30");
    co_await look();
    const Picture::Seen* found = picture_.find(operation.pid);
    if (!found) co_return co_await no_row(operation.pid);
    const Picture::Seen seen = *found;
    Result<> allowed = allow(operation, seen);
    if (!allowed) co_return allowed;
    log_warning("an operator's drill", {{"action", enum_name(operation.action)},
                                        {"pid", seen.row.pid},
                                        {"child", seen.row.id},
                                        {"by", operation.by}});
    switch (operation.action) {
        case Action::crash:
            co_return co_await runtime::crash_process(seen.pid,
                                                      "crashed on purpose by " + operation.by);
        case Action::hang:
            co_return co_await runtime::hang_process(seen.pid,
                                                     std::chrono::seconds(operation.seconds));
        case Action::kill:
            kill(seen.pid, "on purpose by " + operation.by);
            break;
    }
    co_return Result<>();
}

}  // namespace assetronics::ops
