#include "bennu/runtime/process.hpp"

#include "bennu/base/log.hpp"
#include "bennu/runtime/runtime_state.hpp"

namespace bennu {

using detail::Process;
using detail::Shard;

Pid self() {
    return Shard::current()->running();
}
Duration time_left() {
    return Shard::current()->time_left();
}
bool caller_gone() {
    return Shard::current()->caller_gone();
}
Timestamp wall_now() {
    return Shard::current()->wall_now();
}
Random& random() {
    return Shard::current()->random();
}
Id new_id() {
    struct Generator {
        IdGenerator ids{Random(random().next())};
    };
    return shard_local<Generator>().ids.next(wall_now());
}
std::uint8_t shard_index() {
    return Shard::current()->index();
}
std::uint8_t shard_count() {
    return Shard::current()->runtime().shard_count();
}
bool on_shard() {
    return Shard::current() != nullptr;
}
void post(std::uint8_t shard, Function<void()> job) {
    Shard::current()->post(shard, std::move(job));
}
void at_turn_end(Function<void()> hook) {
    Shard::current()->at_turn_end(std::move(hook));
}
bool cancel_timer(TimerId timer) {
    return Shard::current()->timers().cancel(timer);
}
Reactor& reactor() {
    return Shard::current()->reactor();
}

namespace {

Process& running_process() {
    Process* process = Shard::current()->find(self());
    if (!process) throw std::logic_error("this needs a running process");
    return *process;
}

}  // namespace

namespace detail {

namespace {

struct FailureMessage {
    static void run(Shard& shard, Process*, void* payload, ReplyTo to, Instant) {
        shard.fail_wait(to, std::move(Boxed<Error>::get(payload)));
    }
    static constexpr MessageType type{
        &run, &Boxed<Error>::destroy, &Boxed<Error>::move, sizeof(Error), true, "failure"};
};

}  // namespace

void send_failure(ReplyTo to, Error error) {
    if (!to) return;
    Shard* shard = Shard::current();
    if (to.shard == shard->index()) {
        shard->fail_wait(to, std::move(error));
        return;
    }
    Envelope envelope;
    envelope.type = &FailureMessage::type;
    envelope.to = Pid(static_cast<std::uint8_t>(to.shard), 0, 0);
    envelope.reply = to;
    Boxed<Error>::make(envelope.payload, std::move(error));
    shard->send(std::move(envelope));
}

void send_from_beside(Envelope& envelope) {
    auto carrier = std::make_unique<Message>();
    take_envelope(carrier->envelope, envelope);
    std::uint8_t to = envelope.to.shard();
    Runtime::current()->shard(to).inject(
        [carrier = std::move(carrier)] { Shard::current()->deliver(carrier->envelope); });
}

void give_up_call(Pid to, ReplyTo reply) {
    Shard* shard = Shard::current();
    if (to.shard() == shard->index() || to.shard() >= shard->runtime().shard_count()) return;
    if (!shard->waits().find_waiting(reply)) return;
    shard->post(to.shard(), [to, reply] { Shard::current()->cancel_call(to, reply); });
}

void finish_handler(PromiseBase& root) {
    Shard::current()->root_completed(root);
}

namespace {

/// Names and links a process that was made just now; one that cannot have them ends again.
Result<> introduce(Shard& shard, Pid pid, const SpawnOptions& options) {
    try {
        if (!options.name.empty()) {
            auto* name = shard.runtime().names().add(options.name, pid);
            if (!name) {
                shard.exit(*shard.find(pid), ExitReason::normal());
                return Error(ErrorKind::conflict, "name_taken",
                             "a process with the name \"" + options.name + "\" runs already");
            }
            shard.find(pid)->besides.set_name(name);
        }
        if (options.link && shard.running()) shard.link_child(running_process(), *shard.find(pid));
    } catch (...) {
        MustAllocate handling;
        shard.exit(*shard.find(pid), ExitReason::killed("not started"));
        throw;
    }
    return {};
}

}  // namespace

Result<Pid> spawn_body(const ProcessType& type, void* body, const SpawnOptions& options) {
    Shard* shard = Shard::current();
    Pid pid = shard->create(type, body);
    if (Result<> done = introduce(*shard, pid, options); !done) return std::move(done).error();
    return pid;
}

void send_init(Pid to, const MessageType* type) {
    Envelope envelope;
    envelope.type = type;
    envelope.to = to;
    Shard::current()->send(std::move(envelope));
}

void InitCall::await_suspend(std::coroutine_handle<> coroutine) {
    Envelope envelope;
    envelope.type = type_;
    envelope.to = to_;
    try {
        envelope.reply = begin(coroutine, Instant::max());
        Shard::current()->send(std::move(envelope));
    } catch (...) {
        MustAllocate handling;
        // Nobody would ever start it.
        kill(to_, "not started");
        throw;
    }
}

Result<> InitCall::await_resume() {
    release();
    if (error) return std::move(*error);
    return std::move(*value);
}

void fail_init(Pid pid, const Error&) {
    if (Process* process = Shard::current()->find(pid)) {
        // The starter gets the error as its outcome; links must not make a crash of it.
        Shard::current()->exit(*process, ExitReason::normal());
    }
}

void* local_body(Pid pid, const ProcessType& type) {
    Process* process = Shard::current()->find(pid);
    return process && process->type == &type ? process->body : nullptr;
}

namespace {

constexpr ProcessType task_type{
    "task",      [](void* body) { delete static_cast<Function<Task<>()>*>(body); },
    nullptr,     nullptr,
    nullptr,     nullptr,
    {.limit = 0}};

}  // namespace
}  // namespace detail

Pid spawn_task(Function<Task<>()> body, SpawnOptions options) {
    Shard* shard = Shard::current();
    auto kept = std::make_unique<Function<Task<>()>>(std::move(body));
    Task<> task = (*kept)();
    Pid pid = shard->create_task(detail::task_type, kept.release(), std::move(task));
    Result<> done = detail::introduce(*shard, pid, options);
    if (!done) throw std::logic_error(std::string(done.error().message()));
    return pid;
}

void spawn_on::await_suspend(std::coroutine_handle<> coroutine) {
    detail::ReplyTo reply = begin(coroutine, Instant::max());
    post(shard_, [reply, make = std::move(make_)]() mutable {
        try {
            detail::send_reply(reply, make());
        } catch (const std::exception& failure) {
            detail::send_failure(reply, Error(ErrorKind::closed, "spawn_failed", failure.what()));
        }
    });
}

Result<Pid> spawn_on::await_resume() {
    release();
    if (error) return std::move(*error);
    return *value;
}

namespace {

/// Runs `act` on the process's own shard, if it is still there.
void at_process(Pid pid, Function<void(Shard&, Process&)> act) {
    Shard* shard = Shard::current();
    if (pid.shard() == shard->index()) {
        if (Process* process = shard->find(pid)) act(*shard, *process);
    } else if (pid.shard() < shard->runtime().shard_count()) {
        shard->post(pid.shard(), [pid, act = std::move(act)]() mutable {
            if (Process* process = Shard::current()->find(pid)) act(*Shard::current(), *process);
        });
    }
}

}  // namespace

void kill(Pid pid, std::string why) {
    Shard* here = Shard::current();
    if (pid.shard() == here->index()) {
        if (Process* process = here->find(pid)) {
            here->exit(*process, ExitReason::killed(std::move(why)));
        }
        return;
    }
    at_process(pid, [why = std::move(why)](Shard& shard, Process& process) {
        shard.exit(process, ExitReason::killed(why));
    });
}

void exit_self(ExitReason reason) {
    Shard::current()->exit(running_process(), std::move(reason));
}

void stop(Pid pid, ExitReason reason) {
    at_process(pid, [reason = std::move(reason)](Shard& shard, Process& process) {
        shard.stop(process, reason);
    });
}

Task<ExitReason> stop_and_wait(Pid pid, Duration grace) {
    stop(pid);
    Result<ExitReason> reason = co_await exit_of(pid, grace);
    if (reason) co_return *std::move(reason);
    kill(pid, "did not stop in time");
    reason = co_await exit_of(pid);
    co_return reason ? *std::move(reason) : ExitReason::killed();
}

bool alive(Pid pid) {
    return Shard::current()->find(pid) != nullptr;
}

MonitorId monitor(Pid pid) {
    return Shard::current()->watch(running_process(), pid, false, {});
}
void demonitor(MonitorId id) {
    Shard::current()->unwatch(id);
}

void link(Pid pid) {
    Shard* shard = Shard::current();
    Pid me = self();
    shard->watch(running_process(), pid, true, {});
    at_process(pid, [me](Shard& there, Process& process) { there.watch(process, me, true, {}); });
}

void exit_of::await_suspend(std::coroutine_handle<> coroutine) {
    Instant deadline = timeout_ == Duration::max() ? Instant::max() : bennu::now() + timeout_;
    detail::ReplyTo wait = begin(coroutine, deadline);
    monitor_ = Shard::current()->watch(running_process(), pid_, false, wait);
}

Result<ExitReason> exit_of::await_resume() {
    release();
    demonitor(monitor_);
    if (error) return std::move(*error);
    return std::move(*value);
}

Pid whereis(const std::string& name) {
    return Runtime::current()->names().find(name);
}

Result<> watch_io(SocketHandle socket, std::uint8_t tag, bool exclusive) {
    return Shard::current()->watch_io(running_process(), socket, tag, exclusive);
}

void run_in_process(Task<> task) {
    auto handle = task.release();
    handle.promise().complete = &detail::complete_handler<void>;
    Shard::current()->start_handler(running_process(), handle.promise(), {});
}

bool handler_in_progress() {
    return running_process().root != nullptr;
}

}  // namespace bennu
