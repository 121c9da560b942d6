// What follows when a child ends.
#include <algorithm>

#include "bennu/base/log.hpp"
#include "bennu/runtime/supervisor.hpp"
#include "bennu/runtime/supervisor/child.hpp"

namespace bennu {

Task<> Supervisor::handle(Down down) {
    auto found = std::find_if(children_.begin(), children_.end(),
                              [&](const auto& child) { return child->pid == down.pid; });
    if (found == children_.end()) co_return;
    Child& child = **found;
    child.pid = {};
    child.last.take(down.pid, down.reason);
    child.state = ChildState::finished;
    bool again = child.spec.restart == Restart::permanent ||
                 (child.spec.restart == Restart::transient && !down.reason.expected());
    if (again) {
        if (now() - child.started > budget_of(child).within) child.in_a_row = 0;
        co_await recover(&child);
        co_return;
    }
    bool significant = child.spec.significant;
    if (child.spec.restart == Restart::temporary) remove(&child);
    if (significant) after_significant_end();
}

void Supervisor::after_significant_end() {
    bool others = std::any_of(children_.begin(), children_.end(), [](const auto& child) {
        return child->spec.significant && (child->up() || child->due());
    });
    bool over = options_.auto_shutdown == AutoShutdown::any_significant ||
                (options_.auto_shutdown == AutoShutdown::all_significant && !others);
    if (over) stop(self(), ExitReason::shutdown());
}

Task<> Supervisor::handle(Retry retry) {
    auto found = std::find_if(children_.begin(), children_.end(),
                              [&](const auto& child) { return child->serial == retry.child; });
    // Stopped, restarted by hand, or postponed by a later failure meanwhile.
    if (found == children_.end()) co_return;
    Child& child = **found;
    if (child.state != ChildState::waiting || now() < child.retry_at) co_return;
    for (const auto& other : children_) {
        if (other.get() == &child || other->state != ChildState::waiting) continue;
        Set others = group(*other);
        bool before = options_.strategy == Strategy::rest_for_one &&
                      std::find(others.begin(), others.end(), &child) != others.end();
        if (before) co_return;  // comes back together with the one it follows
    }
    Failure failure = co_await start_all(group(child));
    if (!failure.child) co_return;
    failure.child->last.take(failure.error);
    co_await recover(failure.child);
}

const RestartBudget& Supervisor::budget_of(const Child& child) const {
    return child.spec.budget ? *child.spec.budget : options_.budget;
}

bool Supervisor::spend(Child& child) {
    detail::RestartMeter& meter = child.spec.budget ? child.meter : restarts_;
    return meter.spend(budget_of(child), now());
}

Task<> Supervisor::recover(Child* cause) {
    while (true) {
        ++cause->restarts;
        if (!spend(*cause)) {
            co_await give_up(*cause);
            co_return;
        }
        cause->state = ChildState::waiting;
        Duration delay = detail::restart_delay(budget_of(*cause), ++cause->in_a_row, random());
        cause->retry_at = now() + delay;
        detail::note_restart(cause->spec.id, cause->last, cause->restarts, delay);
        Set concerned = group(*cause);
        co_await stop_all(concerned);
        for (Child* child : concerned) {
            if (child->state == ChildState::finished) child->state = ChildState::waiting;
            if (child != cause && child->spec.restart == Restart::temporary) remove(child);
        }
        if (delay > Duration::zero()) {
            send_after(Ref<Supervisor>(self()), Retry{cause->serial}, delay);
            co_return;
        }
        Failure failure = co_await start_all(group(*cause));
        if (!failure.child) co_return;
        cause = failure.child;
        cause->last.take(failure.error);
    }
}

Task<> Supervisor::give_up(Child& child) {
    if (child.spec.when_spent == WhenSpent::leave_down) {
        log_error("a child stays down: its restart budget is spent",
                  {{"child", child.spec.id}, {"after", child.last.reason}});
        child.state = ChildState::gave_up;
        Failure failure = co_await start_all(group(child));
        if (!failure.child) co_return;
        failure.child->last.take(failure.error);
        co_await recover(failure.child);
        co_return;
    }
    // Its own supervisor decides what now; the children end in order first, as on any stop.
    co_await stop_all(all());
    throw std::runtime_error("the restart budget is spent: \"" + child.spec.id + "\" keeps ending");
}

}  // namespace bennu
