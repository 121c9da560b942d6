#include "bennu/runtime/supervisor/dynamic_supervisor.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "bennu/base/log.hpp"
#include "bennu/runtime/supervisor/child.hpp"

namespace bennu {

/// What a child has beyond its pid; a temporary child with the usual shutdown has nothing.
struct DynamicSupervisor::Details {
    ChildSpec spec;
    std::uint64_t serial = 0;
    unsigned restarts = 0;
    unsigned in_a_row = 0;
    Instant started;
    Instant retry_at;
    detail::LastEnd last;
    detail::RestartMeter meter;
};

struct DynamicSupervisor::Table {
    boost::unordered_flat_set<Pid, std::hash<Pid>> plain;
    boost::unordered_flat_map<Pid, std::unique_ptr<Details>, std::hash<Pid>> detailed;
    std::map<std::uint64_t, std::unique_ptr<Details>> waiting;

    std::size_t running() const { return plain.size() + detailed.size(); }
    void add(Pid pid, std::unique_ptr<Details> details) {
        if (details) {
            plain.erase(pid);
            detailed.insert_or_assign(pid, std::move(details));
        } else if (!detailed.contains(pid)) {
            plain.insert(pid);
        }
    }
    /// Forgets a running child: nothing when there is none, no details when it is a plain one.
    std::optional<std::unique_ptr<Details>> take(Pid pid) {
        if (plain.erase(pid) != 0) return std::unique_ptr<Details>();
        auto found = detailed.find(pid);
        if (found == detailed.end()) return std::nullopt;
        std::unique_ptr<Details> details = std::move(found->second);
        detailed.erase(found);
        return details;
    }
};

DynamicSupervisor::DynamicSupervisor(DynamicSupervisorOptions options)
    : options_(options), parent_(detail::spawner()), table_(std::make_unique<Table>()) {}

DynamicSupervisor::~DynamicSupervisor() = default;

Task<Result<>> DynamicSupervisor::init() {
    list();
    co_return {};
}

std::size_t DynamicSupervisor::size() const {
    return table_->running() + table_->waiting.size() + starting_;
}

void DynamicSupervisor::handle(Adopt adopt) {
    detail::ensure_linked(adopt.pid);
    table_->add(adopt.pid, nullptr);
}

std::size_t DynamicSupervisor::handle(Count) const {
    return table_->running();
}

ChildCount DynamicSupervisor::handle(CountChildren) const {
    return {size(), table_->running()};
}

std::vector<ChildInfo> DynamicSupervisor::handle(Children message) const {
    std::vector<ChildInfo> rows;
    for (Pid pid : table_->plain) {
        if (rows.size() == message.limit) return rows;
        rows.push_back({.pid = pid, .state = ChildState::running});
    }
    for (const auto& [pid, details] : table_->detailed) {
        if (rows.size() == message.limit) return rows;
        rows.push_back(
            {details->spec.id, pid, details->restarts, details->last.reason, ChildState::running});
    }
    for (const auto& [serial, details] : table_->waiting) {
        if (rows.size() == message.limit) return rows;
        rows.push_back(
            {details->spec.id, {}, details->restarts, details->last.reason, ChildState::waiting});
    }
    return rows;
}

void DynamicSupervisor::handle(StartChild message, From<Result<Pid>> from) {
    crew_.forget_finished();
    if (size() >= options_.max_children) {
        from.reply(Error(ErrorKind::overloaded, "max_children",
                         "there are " + std::to_string(size()) + " children already"));
        return;
    }
    auto details = std::make_unique<Details>();
    details->spec = std::move(*message.spec);
    details->serial = next_serial_++;
    ++starting_;
    crew_.add(0, start(std::move(details), std::move(from)));
}

Task<Result<>> DynamicSupervisor::start(std::unique_ptr<Details> details, From<Result<Pid>> from) {
    Result<Pid> pid = co_await detail::run_start(details->spec);
    --starting_;
    if (pid && *pid) keep(*pid, std::move(details));
    from.reply(std::move(pid));
    co_return {};
}

void DynamicSupervisor::keep(Pid pid, std::unique_ptr<Details> details) {
    detail::ensure_linked(pid);
    details->started = now();
    bool plain =
        details->spec.restart == Restart::temporary && details->spec.shutdown == options_.shutdown;
    if (plain) details.reset();
    table_->add(pid, std::move(details));
}

void DynamicSupervisor::handle(Exit exit) {
    if (exit.pid == parent_) {
        stop(self(), std::move(exit.reason));
        return;
    }
    auto taken = table_->take(exit.pid);
    if (!taken || !*taken || stopping_) return;
    std::unique_ptr<Details> details = *std::move(taken);
    bool again = details->spec.restart == Restart::permanent ||
                 (details->spec.restart == Restart::transient && !exit.reason.expected());
    if (!again) return;
    const RestartBudget& budget = details->spec.budget ? *details->spec.budget : options_.budget;
    if (now() - details->started > budget.within) details->in_a_row = 0;
    details->last.take(exit.pid, exit.reason);
    recover(std::move(details));
}

void DynamicSupervisor::recover(std::unique_ptr<Details> details) {
    crew_.forget_finished();
    const RestartBudget& budget = details->spec.budget ? *details->spec.budget : options_.budget;
    detail::RestartMeter& meter = details->spec.budget ? details->meter : restarts_;
    ++details->restarts;
    if (!meter.spend(budget, now())) {
        if (details->spec.when_spent == WhenSpent::leave_down) {
            log_error("a child stays down: its restart budget is spent",
                      {{"child", details->spec.id}, {"after", details->last.reason}});
        } else if (!stopping_) {
            run_in_process(give_up(details->spec.id));
        }
        return;
    }
    Duration delay = detail::restart_delay(budget, ++details->in_a_row, random());
    details->retry_at = now() + delay;
    detail::note_restart(details->spec.id, details->last, details->restarts, delay);
    std::uint64_t serial = details->serial;
    table_->waiting.emplace(serial, std::move(details));
    if (delay > Duration::zero()) {
        send_after(Ref<DynamicSupervisor>(self()), Retry{serial}, delay);
    } else {
        crew_.add(0, start_again(serial));
    }
}

void DynamicSupervisor::handle(Retry retry) {
    crew_.forget_finished();
    if (!stopping_ && table_->waiting.contains(retry.child)) crew_.add(0, start_again(retry.child));
}

Task<Result<>> DynamicSupervisor::start_again(std::uint64_t serial) {
    // The details stay listed meanwhile: nothing but this takes them from there.
    Details& waiting = *table_->waiting.at(serial);
    Result<Pid> pid = co_await detail::run_start(waiting.spec);
    auto node = table_->waiting.extract(serial);
    std::unique_ptr<Details> details = std::move(node.mapped());
    if (pid) {
        if (*pid) {
            detail::note_running(details->last, *pid);
            keep(*pid, std::move(details));
        }
        co_return {};
    }
    details->last.take(pid.error());
    // By way of the mailbox: a fault of recovering is the supervisor's, not this branch's.
    std::uint64_t again = details->serial;
    table_->waiting.emplace(again, std::move(details));
    cast(Ref<DynamicSupervisor>(self()), StartFailed{again});
    co_return {};
}

void DynamicSupervisor::handle(StartFailed failed) {
    auto node = table_->waiting.extract(failed.child);
    if (node && !stopping_) recover(std::move(node.mapped()));
}

void DynamicSupervisor::handle(TerminateChild message, From<Result<>> from) {
    crew_.forget_finished();
    auto taken = table_->take(message.pid);
    if (!taken) {
        from.reply(Error(ErrorKind::not_found, "no_child",
                         "there is no child " + message.pid.to_string()));
        return;
    }
    Duration shutdown = *taken ? (*taken)->spec.shutdown : options_.shutdown;
    crew_.add(0, end(message.pid, shutdown, std::move(from)));
}

Task<Result<>> DynamicSupervisor::end(Pid pid, Duration shutdown, From<Result<>> from) {
    co_await detail::end_child(pid, shutdown);
    from.reply(Result<>());
    co_return {};
}

Task<> DynamicSupervisor::terminate(ExitReason) {
    stopping_ = true;
    struct Ending {
        Pid pid;
        Duration shutdown;
    };
    std::vector<Ending> ending;
    for (Pid pid : table_->plain) ending.push_back({pid, options_.shutdown});
    for (const auto& [pid, details] : table_->detailed)
        ending.push_back({pid, details->spec.shutdown});
    table_->plain.clear();
    table_->detailed.clear();
    table_->waiting.clear();
    for (const Ending& child : ending) {
        if (child.shutdown == brutal_kill) {
            kill(child.pid, "by its supervisor, without being asked");
        } else {
            stop(child.pid);
        }
    }
    // Those with the least time first, so that waiting for one never gives another more than its
    // own.
    std::sort(ending.begin(), ending.end(), [](const Ending& a, const Ending& b) {
        return a.shutdown != b.shutdown ? a.shutdown < b.shutdown : a.pid < b.pid;
    });
    Instant asked = now();
    for (const Ending& child : ending) {
        if (child.pid.shard() == shard_index() && !alive(child.pid)) continue;
        Duration left = child.shutdown == no_time_limit
                            ? no_time_limit
                            : std::max(asked + child.shutdown - now(), Duration::zero());
        if (co_await exit_of(child.pid, left)) continue;
        kill(child.pid, "did not stop in time");
        (void)co_await exit_of(child.pid);
    }
}

Task<> DynamicSupervisor::give_up(std::string id) {
    co_await terminate(ExitReason::shutdown());
    throw std::runtime_error("the restart budget is spent: \"" + id + "\" keeps ending");
}

void DynamicSupervisor::describe(detail::SupervisorRow& row, std::size_t max_children) const {
    row.kind = "dynamic";
    row.child_count = size();
    for (ChildInfo& child : handle(Children{max_children})) {
        row.children.push_back({.id = std::move(child.id),
                                .pid = child.pid,
                                .state = child.state,
                                .restarts = child.restarts,
                                .last_exit = std::move(child.last_exit)});
    }
}

namespace {

constexpr CallOptions patient{.timeout = Duration::max(), .inherit_deadline = false};

}  // namespace

Task<Result<Pid>> start_child(Ref<DynamicSupervisor> supervisor, ChildSpec spec) {
    auto boxed = std::make_unique<ChildSpec>(std::move(spec));
    co_return co_await require(
        co_await try_call(supervisor, DynamicSupervisor::StartChild{std::move(boxed)}, patient));
}
Task<Result<>> terminate_child(Ref<DynamicSupervisor> supervisor, Pid pid) {
    co_return co_await require(
        co_await try_call(supervisor, DynamicSupervisor::TerminateChild{pid}, patient));
}
Task<Result<std::vector<ChildInfo>>> which_children(Ref<DynamicSupervisor> supervisor) {
    co_return co_await try_call(supervisor, DynamicSupervisor::Children{}, patient);
}
Task<Result<ChildCount>> count_children(Ref<DynamicSupervisor> supervisor) {
    co_return co_await try_call(supervisor, DynamicSupervisor::CountChildren{}, patient);
}

}  // namespace bennu
