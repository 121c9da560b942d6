#include "bennu/runtime/supervisor.hpp"

#include <algorithm>

#include "bennu/base/log.hpp"

namespace bennu {

struct Supervisor::Child {
    ChildSpec spec;
    Pid pid;
    MonitorId monitor;
    unsigned restarts = 0;
    unsigned in_a_row = 0;
    Instant started;
    std::string last_exit;
};

Supervisor::Supervisor(SupervisorOptions options, std::vector<ChildSpec> children)
    : options_(std::move(options)) {
    for (ChildSpec& spec : children) {
        children_.push_back(std::make_unique<Child>());
        children_.back()->spec = std::move(spec);
    }
}

Supervisor::~Supervisor() = default;

Task<Result<>> Supervisor::init() {
    for (std::size_t i = 0; i < children_.size(); ++i) {
        Result<> started = co_await start_child(i);
        if (started) continue;
        while (i-- > 0) {
            demonitor(children_[i]->monitor);
            co_await stop_and_wait(children_[i]->pid, children_[i]->spec.shutdown);
            children_[i]->pid = {};
        }
        co_return started;
    }
    co_return Result<>();
}

Task<Result<>> Supervisor::start_child(std::size_t index) {
    Child& child = *children_[index];
    Result<Pid> pid = co_await child.spec.start();
    if (!pid) {
        co_return std::move(pid).error().with_context("starting \"" + child.spec.id + "\"");
    }
    child.pid = *pid;
    child.monitor = monitor(*pid);
    child.started = now();
    co_return Result<>();
}

Task<> Supervisor::terminate(ExitReason) {
    for (std::size_t i = children_.size(); i-- > 0;) {
        Child& child = *children_[i];
        if (!child.pid) continue;
        demonitor(child.monitor);
        co_await stop_and_wait(child.pid, child.spec.shutdown);
        child.pid = {};
    }
}

std::vector<ChildInfo> Supervisor::handle(Children) {
    std::vector<ChildInfo> list;
    for (const auto& child : children_) {
        list.push_back({child->spec.id, child->pid, child->restarts, child->last_exit});
    }
    return list;
}

Task<Result<Pid>> Supervisor::handle(StartChild message) {
    children_.push_back(std::make_unique<Child>());
    children_.back()->spec = std::move(message.spec);
    Result<> started = co_await start_child(children_.size() - 1);
    if (!started) {
        children_.pop_back();
        co_return std::move(started).error();
    }
    co_return children_.back()->pid;
}

Task<> Supervisor::handle(Down down) {
    auto found = std::find_if(children_.begin(), children_.end(),
                              [&](const auto& child) { return child->pid == down.pid; });
    if (found == children_.end()) co_return;
    Child& child = **found;
    child.pid = {};
    child.last_exit = down.reason.describe();
    bool again = child.spec.restart == Restart::permanent ||
                 (child.spec.restart == Restart::transient && !down.reason.expected());
    if (!again) {
        if (child.spec.restart == Restart::temporary) children_.erase(found);
        co_return;
    }
    if (now() - child.started > options_.budget.within) child.in_a_row = 0;
    co_await restart(static_cast<std::size_t>(found - children_.begin()));
}

void Supervisor::handle(Exit exit) {
    if (exit.pid == options_.parent) stop(self(), std::move(exit.reason));
}

Task<> Supervisor::handle(Retry retry) {
    if (retry.child < children_.size() && !children_[retry.child]->pid) {
        Result<> started = co_await start_child(retry.child);
        if (!started) {
            log_warning("a child did not start", {{"child", children_[retry.child]->spec.id},
                                                  {"reason", started.error().describe()}});
            co_await restart(retry.child);
        }
    }
}

bool Supervisor::spend_budget() {
    Instant oldest = now() - options_.budget.within;
    std::erase_if(recent_restarts_, [&](Instant at) { return at < oldest; });
    recent_restarts_.push_back(now());
    return recent_restarts_.size() <= options_.budget.restarts;
}

Task<> Supervisor::restart(std::size_t index) {
    Child& child = *children_[index];
    ++child.restarts;
    log_warning("restarting a child", {{"child", child.spec.id}, {"after", child.last_exit}});
    if (!spend_budget()) {
        // Its own supervisor decides what now; the children end in order first, as on any stop.
        co_await terminate(ExitReason::shutdown());
        throw std::runtime_error("the restart budget is spent: \"" + child.spec.id +
                                 "\" keeps ending");
    }
    if (child.in_a_row++ == 0) {
        Result<> started = co_await start_child(index);
        if (started) co_return;
        child.last_exit = started.error().describe();
        log_warning("a child did not start",
                    {{"child", child.spec.id}, {"reason", child.last_exit}});
    }
    const RestartBudget& budget = options_.budget;
    Duration delay = budget.backoff * (1LL << std::min(child.in_a_row, 20U));
    delay = std::min(delay, budget.max_backoff);
    delay = Duration(static_cast<std::int64_t>(static_cast<double>(delay.count()) *
                                               (0.5 + random().uniform() / 2)));
    send_after(Ref<Supervisor>(self()), Retry{index}, delay);
}

Task<Result<Ref<Supervisor>>> supervise(SupervisorOptions options,
                                        std::vector<ChildSpec> children) {
    SpawnOptions spawn{.name = options.name, .link = true};
    options.parent = self();
    Result<Pid> pid =
        detail::spawn_body(detail::TypeOf<Supervisor>::type,
                           new Supervisor(std::move(options), std::move(children)), spawn);
    if (!pid) co_return std::move(pid).error();
    Result<> ready = co_await detail::InitCall(*pid, &detail::InitHandler<Supervisor>::type);
    if (!ready) co_return std::move(ready).error();
    co_return Ref<Supervisor>(*pid);
}

ChildSpec child_supervisor(std::string id, SupervisorOptions options,
                           Function<std::vector<ChildSpec>()> children) {
    ChildSpec spec;
    spec.id = std::move(id);
    spec.shutdown = std::chrono::seconds(30);
    spec.start = [options = std::move(options),
                  children = std::make_shared<Function<std::vector<ChildSpec>()>>(
                      std::move(children))]() -> Task<Result<Pid>> {
        auto started = co_await supervise(options, (*children)());
        if (!started) co_return std::move(started).error();
        co_return started->pid();
    };
    return spec;
}

void DynamicSupervisor::handle(Adopt adopt) {
    children_.emplace(adopt.pid, monitor(adopt.pid));
}

void DynamicSupervisor::handle(Down down) {
    children_.erase(down.pid);
}

Task<> DynamicSupervisor::terminate(ExitReason) {
    for (const auto& [pid, monitor_id] : children_) {
        stop(pid);
    }
    Instant deadline = now() + std::chrono::seconds(15);
    while (!children_.empty()) {
        auto [pid, monitor_id] = *children_.begin();
        demonitor(monitor_id);
        Duration left = std::max(deadline - now(), Duration::zero());
        if (!co_await exit_of(pid, left)) {
            kill(pid, "did not stop in time");
        }
        children_.erase(pid);
    }
}

}  // namespace bennu
