#include "bennu/runtime/supervisor/child_spec.hpp"

#include "bennu/runtime/runtime_state.hpp"

namespace bennu {

std::string_view to_string(Strategy strategy) {
    switch (strategy) {
        case Strategy::one_for_one:
            return "one_for_one";
        case Strategy::one_for_all:
            return "one_for_all";
        case Strategy::rest_for_one:
            return "rest_for_one";
    }
    return "unknown";
}

std::string_view to_string(ChildState state) {
    switch (state) {
        case ChildState::starting:
            return "starting";
        case ChildState::running:
            return "running";
        case ChildState::waiting:
            return "waiting";
        case ChildState::stopping:
            return "stopping";
        case ChildState::stopped:
            return "stopped";
        case ChildState::finished:
            return "finished";
        case ChildState::gave_up:
            return "gave_up";
    }
    return "unknown";
}

namespace detail {

ChildSpec make_spec(ChildOptions options, std::string default_id) {
    ChildSpec spec;
    spec.id = options.id.empty() ? std::move(default_id) : std::move(options.id);
    spec.restart = options.restart;
    spec.shutdown = options.shutdown;
    spec.after = std::move(options.after);
    spec.significant = options.significant;
    spec.budget = options.budget;
    spec.when_spent = options.when_spent;
    return spec;
}

Task<Result<Pid>> run_start(ChildSpec& spec) {
    Contained<Result<Pid>> outcome = co_await contain(spec.start());
    if (outcome.fault) {
        co_return Error(ErrorKind::internal, "fault", outcome.fault->describe())
            .with_context("starting \"" + spec.id + "\"");
    }
    if (*outcome.value) co_return *std::move(outcome.value);
    co_return std::move(*outcome.value).error().with_context("starting \"" + spec.id + "\"");
}

namespace {
thread_local Pid spawning_for;
}

SpawningFor::SpawningFor(Pid spawner) : previous_(std::exchange(spawning_for, spawner)) {}
SpawningFor::~SpawningFor() {
    spawning_for = previous_;
}
Pid spawner() {
    if (spawning_for) return spawning_for;
    return on_shard() ? self() : Pid();
}

Result<Pid> spawn_for(Pid parent, const ProcessType& type, void* body, const std::string& name) {
    Result<Pid> pid = spawn_body(type, body, {.name = name});
    if (!pid) return pid;
    Shard* shard = Shard::current();
    Process& made = *shard->find(*pid);
    // From the child's side first: a parent that is gone already ends it at once.
    try {
        shard->watch(made, parent, true, {});
    } catch (...) {
        MustAllocate handling;
        shard->exit(made, ExitReason::killed("not started"));
        throw;
    }
    return pid;
}

void ensure_linked(Pid pid) {
    Shard* shard = Shard::current();
    Pid me = shard->running();
    Process* process = shard->find(me);
    if (!process) return;
    // Looked up from the child's side, which has few links; a supervisor may have many thousands.
    Process* child = shard->find(pid);
    if (!child || !shard->linked_by(*child, me)) shard->watch(*process, pid, true, {});
    auto link_back = [pid, me] {
        Shard* there = Shard::current();
        Process* other = there->find(pid);
        if (other && !there->linked(*other, me)) there->watch(*other, me, true, {});
    };
    if (pid.shard() == shard->index()) {
        link_back();
    } else if (pid.shard() < shard->runtime().shard_count()) {
        shard->post(pid.shard(), link_back);
    }
}

}  // namespace detail
}  // namespace bennu
