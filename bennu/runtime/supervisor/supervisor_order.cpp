// Which child comes before which: checks, groups, starting and stopping.
#include <algorithm>

#include "bennu/base/log.hpp"
#include "bennu/runtime/supervisor.hpp"
#include "bennu/runtime/supervisor/child.hpp"
#include "bennu/runtime/supervisor/crew.hpp"

namespace bennu {

namespace {

Error bad_spec(const std::string& id, std::string what) {
    return Error(ErrorKind::invalid, "child_spec", "child \"" + id + "\" " + std::move(what));
}

}  // namespace

bool Supervisor::needs(const Child& child, const Child& other) {
    const auto& after = child.spec.after;
    return std::find(after.begin(), after.end(), other.spec.id) != after.end();
}

Result<> Supervisor::check(const Child& child) const {
    const std::string& id = child.spec.id;
    if (find(id) != &child) return bad_spec(id, "is listed twice");
    if (child.spec.significant && child.spec.restart == Restart::permanent)
        return bad_spec(id, "is permanent, so it cannot be significant");
    for (const std::string& before : child.spec.after) {
        const Child* other = find(before);
        if (!other) return bad_spec(id, "is to start after \"" + before + "\", which is not there");
        bool listed_later = other->serial >= child.serial;
        if (options_.order == StartOrder::in_order && listed_later)
            return bad_spec(id, "is listed before \"" + before + "\", which it is to start after");
    }
    return {};
}

Result<> Supervisor::check_order() const {
    Set left = all();
    while (!left.empty()) {
        auto is_free = [&](const Child* child) {
            return std::none_of(left.begin(), left.end(),
                                [&](const Child* other) { return needs(*child, *other); });
        };
        Set blocked;
        std::copy_if(left.begin(), left.end(), std::back_inserter(blocked),
                     [&](const Child* child) { return !is_free(child); });
        if (blocked.size() == left.size())
            return bad_spec(left.front()->spec.id, "waits for itself, by way of its `after`");
        left = std::move(blocked);
        if (options_.order == StartOrder::in_order) break;  // `check` was enough
    }
    return {};
}

Supervisor::Set Supervisor::all() const {
    Set set;
    for (const auto& child : children_) set.push_back(child.get());
    return set;
}

Supervisor::Set Supervisor::group(const Child& child) const {
    Set set;
    auto is_in = [&](const Child* other) {
        return std::find(set.begin(), set.end(), other) != set.end();
    };
    for (const auto& other : children_) {
        switch (options_.strategy) {
            case Strategy::one_for_one:
                if (other.get() == &child) set.push_back(other.get());
                break;
            case Strategy::one_for_all:
                set.push_back(other.get());
                break;
            case Strategy::rest_for_one:
                if (options_.order == StartOrder::in_order ? other->serial >= child.serial
                                                           : other.get() == &child)
                    set.push_back(other.get());
                break;
        }
    }
    if (options_.strategy == Strategy::rest_for_one && options_.order == StartOrder::parallel) {
        for (std::size_t i = 0; i < set.size(); ++i) {
            for (const auto& other : children_) {
                if (needs(*other, *set[i]) && !is_in(other.get())) set.push_back(other.get());
            }
        }
    }
    return set;
}

Task<Result<>> Supervisor::start_one(Child& child) {
    child.state = ChildState::starting;
    Result<Pid> pid = co_await detail::run_start(child.spec);
    if (!pid) co_return std::move(pid).error();
    child.pid = *pid;
    child.started = now();
    if (child.pid) {
        child.monitor = monitor(child.pid);
        child.state = ChildState::running;
        detail::note_running(child.last, child.pid);
    } else {
        child.state = ChildState::finished;
    }
    co_return {};
}

Task<Supervisor::Failure> Supervisor::start_all(Set set) {
    std::erase_if(set, [](const Child* child) { return !child->due(); });
    if (options_.order == StartOrder::parallel && set.size() > 1)
        co_return co_await start_parallel(std::move(set));
    for (Child* child : set) {
        Result<> started = co_await start_one(*child);
        if (!started) {
            child->state = ChildState::waiting;
            co_return Failure{child, std::move(started).error()};
        }
    }
    co_return Failure{};
}

Task<Supervisor::Failure> Supervisor::start_parallel(Set set) {
    Failure failure;
    Set starting;
    detail::Crew crew;
    auto blocks = [](const Set& others, const Child* child) {
        return std::any_of(others.begin(), others.end(),
                           [&](const Child* other) { return needs(*child, *other); });
    };
    while (true) {
        for (std::size_t i = 0; !failure.child && i < set.size();) {
            Child* child = set[i];
            if (blocks(set, child) || blocks(starting, child)) {
                ++i;
                continue;
            }
            set.erase(set.begin() + static_cast<std::ptrdiff_t>(i));
            starting.push_back(child);
            crew.add(child->serial, start_one(*child));
        }
        if (crew.size() == 0) break;
        detail::Crew::Finished finished = co_await crew.next();
        auto found = std::find_if(starting.begin(), starting.end(), [&](const Child* child) {
            return child->serial == finished.tag;
        });
        Child* child = *found;
        starting.erase(found);
        if (finished.outcome) continue;
        child->state = ChildState::waiting;
        // Those that are on their way are waited for: half-made children would be nobody's.
        if (!failure.child) failure = {child, std::move(finished.outcome).error()};
    }
    for (Child* child : set) child->state = ChildState::waiting;
    co_return failure;
}

Task<Result<>> Supervisor::stop_one(Child& child) {
    demonitor(child.monitor);
    child.state = ChildState::stopping;
    ExitReason reason = co_await detail::end_child(child.pid, child.spec.shutdown);
    child.pid = {};
    child.state = ChildState::waiting;
    if (!reason.expected()) child.last.take({}, reason);
    co_return {};
}

Task<> Supervisor::stop_all(Set set) {
    if (options_.order == StartOrder::parallel && set.size() > 1) {
        co_await stop_parallel(std::move(set));
        co_return;
    }
    for (std::size_t i = set.size(); i-- > 0;) {
        if (set[i]->up()) (void)co_await stop_one(*set[i]);
    }
}

Task<> Supervisor::stop_parallel(Set set) {
    std::erase_if(set, [](const Child* child) { return !child->up(); });
    Set stopping;
    detail::Crew crew;
    auto is_needed = [](const Set& others, const Child* child) {
        return std::any_of(others.begin(), others.end(),
                           [&](const Child* other) { return needs(*other, *child); });
    };
    while (true) {
        for (std::size_t i = set.size(); i-- > 0;) {
            Child* child = set[i];
            if (is_needed(set, child) || is_needed(stopping, child)) continue;
            set.erase(set.begin() + static_cast<std::ptrdiff_t>(i));
            stopping.push_back(child);
            crew.add(child->serial, stop_one(*child));
        }
        if (crew.size() == 0) break;
        detail::Crew::Finished finished = co_await crew.next();
        std::erase_if(stopping, [&](const Child* child) { return child->serial == finished.tag; });
    }
}

Task<ExitReason> detail::end_child(Pid pid, Duration shutdown) {
    if (shutdown != brutal_kill) co_return co_await stop_and_wait(pid, shutdown);
    kill(pid, "by its supervisor, without being asked");
    Result<ExitReason> reason = co_await exit_of(pid);
    co_return reason ? *std::move(reason) : ExitReason::killed();
}

}  // namespace bennu
