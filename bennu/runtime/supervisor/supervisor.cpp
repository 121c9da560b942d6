// The supervisor as a server: its messages, and what starts it.
#include "bennu/runtime/supervisor.hpp"

#include <algorithm>

#include "bennu/runtime/supervisor/child.hpp"

namespace bennu {

Supervisor::Supervisor(SupervisorOptions options, std::vector<ChildSpec> children)
    : options_(std::move(options)) {
    for (ChildSpec& spec : children) add(std::move(spec));
}

Supervisor::~Supervisor() = default;

Task<Result<>> Supervisor::init() {
    list();
    for (const auto& child : children_) co_await require(check(*child));
    co_await require(check_order());
    Failure failure = co_await start_all(all());
    if (!failure.child) co_return {};
    co_await stop_all(all());
    co_return std::move(failure.error);
}

Task<> Supervisor::terminate(ExitReason) {
    co_await stop_all(all());
}

void Supervisor::handle(Exit exit) {
    if (exit.pid == options_.parent) stop(self(), std::move(exit.reason));
}

std::vector<ChildInfo> Supervisor::handle(Children) const {
    std::vector<ChildInfo> rows;
    for (const auto& child : children_) {
        rows.push_back(
            {child->spec.id, child->pid, child->restarts, child->last.reason, child->state});
    }
    return rows;
}

ChildCount Supervisor::handle(CountChildren) const {
    auto up = std::count_if(children_.begin(), children_.end(),
                            [](const auto& child) { return child->up(); });
    return {children_.size(), static_cast<std::size_t>(up)};
}

Task<Result<Pid>> Supervisor::handle(StartChild message) {
    if (const Child* taken = find(message.spec.id)) {
        co_return Error(ErrorKind::conflict, taken->up() ? "already_started" : "already_present",
                        "there is a child \"" + message.spec.id + "\"");
    }
    Child& child = add(std::move(message.spec));
    Result<> good = check(child);
    if (good) good = co_await start_one(child);
    if (!good) {
        remove(&child);
        co_return std::move(good).error();
    }
    co_return child.pid;
}

namespace {

Error no_child(const std::string& id) {
    return Error(ErrorKind::not_found, "no_child", "there is no child \"" + id + "\"");
}
Error still_there(const std::string& id) {
    return Error(ErrorKind::conflict, "running", "the child \"" + id + "\" runs");
}

}  // namespace

Task<Result<>> Supervisor::handle(TerminateChild message) {
    Child* child = find(message.id);
    if (!child) co_return no_child(message.id);
    if (child->up()) co_await require(stop_one(*child));
    child->state = ChildState::stopped;
    if (child->spec.restart == Restart::temporary) remove(child);
    co_return {};
}

Task<Result<Pid>> Supervisor::handle(RestartChild message) {
    Child* child = find(message.id);
    if (!child) co_return no_child(message.id);
    if (child->up()) co_return still_there(message.id);
    child->in_a_row = 0;
    child->meter = {};
    ChildState before = std::exchange(child->state, ChildState::starting);
    Result<> started = co_await start_one(*child);
    if (!started) {
        child->state = before;
        co_return std::move(started).error();
    }
    co_return child->pid;
}

Result<> Supervisor::handle(DeleteChild message) {
    Child* child = find(message.id);
    if (!child) return no_child(message.id);
    if (child->up() || child->due()) return still_there(message.id);
    remove(child);
    return {};
}

void Supervisor::describe(detail::SupervisorRow& row, std::size_t max_children) const {
    row.kind = to_string(options_.strategy);
    row.child_count = children_.size();
    for (const auto& child : children_) {
        if (row.children.size() == max_children) break;
        row.children.push_back(
            {.id = child->spec.id,
             .pid = child->pid,
             .state = child->state,
             .restarts = child->restarts,
             .last_exit = child->last.reason,
             .up = child->up() ? now() - child->started : Duration::zero(),
             .retry_in = child->state == ChildState::waiting && child->retry_at > now()
                             ? child->retry_at - now()
                             : Duration::zero()});
    }
}

Supervisor::Child& Supervisor::add(ChildSpec spec) {
    children_.push_back(std::make_unique<Child>());
    children_.back()->spec = std::move(spec);
    children_.back()->serial = next_serial_++;
    return *children_.back();
}

Supervisor::Child* Supervisor::find(const std::string& id) const {
    auto found = std::find_if(children_.begin(), children_.end(),
                              [&](const auto& child) { return child->spec.id == id; });
    return found == children_.end() ? nullptr : found->get();
}

void Supervisor::remove(Child* child) {
    std::erase_if(children_, [&](const auto& other) { return other.get() == child; });
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
    return child_supervisor(ChildOptions{.id = std::move(id), .shutdown = std::chrono::seconds(30)},
                            std::move(options), std::move(children));
}

ChildSpec child_supervisor(ChildOptions child, SupervisorOptions options,
                           Function<std::vector<ChildSpec>()> children) {
    if (!child.name.empty()) options.name = child.name;
    ChildSpec spec = detail::make_spec(std::move(child), "supervisor");
    spec.start = [options = std::move(options),
                  children = std::make_shared<Function<std::vector<ChildSpec>()>>(
                      std::move(children))]() -> Task<Result<Pid>> {
        auto started = co_await supervise(options, (*children)());
        if (!started) co_return std::move(started).error();
        co_return started->pid();
    };
    return spec;
}

namespace {

/// A supervisor answers once its children did: there is no useful limit of ours.
constexpr CallOptions patient{.timeout = Duration::max(), .inherit_deadline = false};

}  // namespace

Task<Result<Pid>> start_child(Ref<Supervisor> supervisor, ChildSpec spec) {
    co_return co_await require(
        co_await try_call(supervisor, Supervisor::StartChild{std::move(spec)}, patient));
}
Task<Result<>> terminate_child(Ref<Supervisor> supervisor, std::string id) {
    co_return co_await require(
        co_await try_call(supervisor, Supervisor::TerminateChild{std::move(id)}, patient));
}
Task<Result<Pid>> restart_child(Ref<Supervisor> supervisor, std::string id) {
    co_return co_await require(
        co_await try_call(supervisor, Supervisor::RestartChild{std::move(id)}, patient));
}
Task<Result<>> delete_child(Ref<Supervisor> supervisor, std::string id) {
    co_return co_await require(
        co_await try_call(supervisor, Supervisor::DeleteChild{std::move(id)}, patient));
}
Task<Result<std::vector<ChildInfo>>> which_children(Ref<Supervisor> supervisor) {
    co_return co_await try_call(supervisor, Supervisor::Children{}, patient);
}
Task<Result<ChildCount>> count_children(Ref<Supervisor> supervisor) {
    co_return co_await try_call(supervisor, Supervisor::CountChildren{}, patient);
}

}  // namespace bennu
