#include "apps/assetronics/lib/imports/manager.hpp"

#include <algorithm>

#include "apps/assetronics/lib/imports/worker.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/launcher/node.hpp"
#include "bennu/runtime/offload.hpp"

namespace assetronics::imports {

using namespace bennu;

namespace {

constexpr std::size_t at_once = 2;
constexpr unsigned most_attempts = 3;
constexpr Duration take_over_every = std::chrono::milliseconds(250);

}  // namespace

Task<Result<>> Manager::init() {
    // The imports of a node that this one replaces are its own until it is gone.
    if (!predecessor_running()) co_return co_await go_on_with_unfinished();
    send_after(Ref<Manager>(self()), TakeOver{}, take_over_every);
    co_return Result<>();
}

Task<> Manager::handle(TakeOver) {
    if (predecessor_running()) {
        send_after(Ref<Manager>(self()), TakeOver{}, take_over_every);
        co_return;
    }
    Result<> done = co_await go_on_with_unfinished();
    if (!done) exit_self(ExitReason::killed(done.error().describe()));
}

bool Manager::knows(Id id) const {
    const auto is_it = [id](const Run& run) { return run.id == id; };
    return std::ranges::any_of(waiting_, is_it) ||
           std::ranges::any_of(running_, [&](const auto& each) { return is_it(each.second); });
}

Task<Result<>> Manager::go_on_with_unfinished() {
    auto rows = co_await require(unfinished(repo_));
    std::vector<Id> keep;
    for (const ImportRow& row : rows) {
        keep.push_back(row.id);
        if (knows(row.id)) continue;
        waiting_.push_back({row.tenant, row.id});
        log_info("going on with an import",
                 {{"id", row.id}, {"file", row.filename}, {"processed", row.processed}});
    }
    Result<> tidied =
        co_await offload([folder = folder_, keep] { return tidy_folder(folder, keep); });
    if (!tidied) co_return tidied;
    start_waiting();
    co_return Result<>();
}

void Manager::handle(Run run) {
    waiting_.push_back(std::move(run));
    start_waiting();
}

void Manager::start_waiting() {
    while (!waiting_.empty() && running_.size() < at_once) {
        Run run = std::move(waiting_.front());
        waiting_.pop_front();
        const Pid pid = spawn_task(
            [repo = repo_, folder = folder_, tenant = run.tenant, id = run.id]() -> Task<> {
                Result<> done = co_await run_import(repo, folder, tenant, id);
                if (!done) exit_self(ExitReason::killed(done.error().describe()));
            },
            {.link = true});
        running_.emplace(pid, std::move(run));
    }
}

Task<> Manager::handle(Exit exit) {
    const auto found = running_.find(exit.pid);
    if (found == running_.end()) {
        if (!exit.reason.expected()) exit_self(exit.reason);
        co_return;
    }
    Run run = std::move(found->second);
    running_.erase(found);
    start_waiting();
    if (exit.reason.expected()) co_return;

    log_warning(
        "an import was interrupted",
        {{"id", run.id}, {"attempt", run.attempts + 1}, {"reason", exit.reason.describe()}});
    if (++run.attempts < most_attempts) {
        send_after(Ref<Manager>(self()), run, std::chrono::seconds(1) * run.attempts);
        co_return;
    }
    Result<> failed = co_await fail_import(repo_, run.tenant, run.id, exit.reason.describe());
    if (!failed)
        log_error("an import could not be marked as failed",
                  {{"id", run.id}, {"error", failed.error()}});
}

Task<> Manager::terminate(ExitReason) {
    for (const auto& [pid, run] : running_) kill(pid, "imports are stopping");
    co_return;
}

}  // namespace assetronics::imports
