#include "bennu/runtime/async.hpp"

#include <bit>

#include "bennu/runtime/runtime_state.hpp"

namespace bennu::detail {

namespace {

/// Per shard: the processes that run tasks for owners on other shards, by the owner's wait.
struct RemoteTasks {
    std::unordered_map<std::uint64_t, Pid> running;
};

std::uint64_t bits_of(ReplyTo key) {
    return std::bit_cast<std::uint64_t>(key);
}

Pid start_task(Function<Task<>(AsyncReport)> body, AsyncReport report) {
    return spawn_task([body = std::move(body),
                       report = std::move(report)] [[clang::coro_wrapper]] () mutable -> Task<> {
        return body(std::move(report));
    });
}

}  // namespace

AsyncWait::AsyncWait(WaitState& state, Function<Task<>(AsyncReport)> body, Pid linked,
                     const AsyncOptions& options) {
    Shard* shard = Shard::current();
    if (!shard->running()) throw std::logic_error("only a process starts async tasks");
    shard_ = options.shard.value_or(shard->index());
    if (shard_ >= shard->runtime().shard_count()) throw std::out_of_range("no such shard");
    key_ = shard->waits().add(shard->index(), shard->running(), std::noop_coroutine(), &state);
    if (shard_ == shard->index()) {
        pid_ = start_task(std::move(body), AsyncReport(key_, linked));
        return;
    }
    post(shard_, [key = key_, linked, body = std::move(body)]() mutable {
        shard_local<RemoteTasks>().running[bits_of(key)] =
            start_task(std::move(body), AsyncReport(key, linked));
    });
}

AsyncWait::~AsyncWait() {
    Shard* shard = Shard::current();
    bool done = !shard->waits().find_waiting(key_);
    shard->waits().remove(key_);
    if (done) return;
    if (pid_) {
        kill(pid_, "its owner does not want it any more");
        return;
    }
    post(shard_, [key = key_] {
        auto& running = shard_local<RemoteTasks>().running;
        if (auto task = running.find(bits_of(key)); task != running.end())
            kill(task->second, "its owner does not want it any more");
    });
}

void AsyncWait::resumes(std::coroutine_handle<> coroutine) {
    if (WaitTable::Entry* entry = Shard::current()->waits().find(key_.index, key_.generation))
        entry->coroutine = coroutine;
}

AsyncReport::~AsyncReport() {
    if (to_) fail(Error(ErrorKind::closed, "killed", "the task was ended"), ExitReason::killed());
    if (key_ && key_.shard != shard_index())
        shard_local<RemoteTasks>().running.erase(bits_of(key_));
}

void AsyncReport::crashed(const Fault& fault) {
    ExitReason reason = ExitReason::from_fault(fault);
    fail(Error(ErrorKind::closed, "crashed", reason.describe()), reason);
}

void AsyncReport::fail(Error error, ExitReason reason) {
    // Not from here, even on the same shard: the owner's end may end this process, and that must
    // find it finished.
    post(static_cast<std::uint8_t>(key_.shard),
         [to = take(), linked = linked_, error = std::move(error),
          exit = Exit{self(), std::move(reason)}]() mutable {
             Shard* shard = Shard::current();
             if (!shard->waits().find(to.index, to.generation)) return;
             shard->fail_wait(to, std::move(error));
             if (linked) shard->signal_exit(linked, std::move(exit));
         });
}

}  // namespace bennu::detail
