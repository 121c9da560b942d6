#include "bennu/runtime/insight/exercise.hpp"

#include "bennu/runtime/ask_shard.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime_state.hpp"

namespace bennu::runtime {

namespace {

Error no_such_process(Pid pid) {
    return Error(ErrorKind::not_found, "noproc", "there is no process " + pid.to_string());
}

/// The lines at which the process is suspended, innermost first, as an exception that is thrown
/// there would pass them.
std::vector<std::source_location> suspended_at(detail::Shard& shard, Pid pid) {
    std::vector<std::source_location> awaits;
    const detail::WaitTable::Entry* entry = shard.waits().first_of(pid);
    if (!entry) return awaits;
    using Frame = std::coroutine_handle<detail::PromiseBase>;
    for (auto* frame = &Frame::from_address(entry->coroutine.address()).promise(); frame;
         frame = frame->parent) {
        awaits.push_back(frame->where);
    }
    return awaits;
}

/// Outside of any process, so that none is running that could be ended under its own feet.
Result<> crash_here(Pid pid, const std::string& text) {
    detail::Shard& shard = *detail::Shard::current();
    detail::Process* process = shard.find(pid);
    if (!process) return no_such_process(pid);
    const Fault fault{std::make_exception_ptr(InjectedFault(text)), suspended_at(shard, pid)};
    shard.exit(*process, ExitReason::from_fault(fault));
    return {};
}

Task<> do_nothing_for(Duration how_long) {
    co_await sleep(how_long);
}

struct HangMessage {
    using Payload = detail::Boxed<Duration>;
    static void run(detail::Shard& shard, detail::Process* process, void* payload, detail::ReplyTo,
                    Instant) {
        auto handle = do_nothing_for(Payload::get(payload)).release();
        handle.promise().complete = &detail::complete_handler<void>;
        shard.start_handler(*process, handle.promise(), {});
    }
    static constexpr detail::MessageType type{
        &run, &Payload::destroy, &Payload::move, sizeof(Duration), false, "hang", true};
};

Result<> hang_here(Pid pid, Duration how_long) {
    detail::Shard& shard = *detail::Shard::current();
    const detail::Process* process = shard.find(pid);
    if (!process) return no_such_process(pid);
    if (process->has(detail::Process::task_body))
        return Error(ErrorKind::conflict, "no_mailbox", "a bare coroutine has no mailbox");
    if (process->mailbox >= process->type->mailbox.limit)
        return Error(ErrorKind::overloaded, "mailbox_full", "the mailbox is full");
    detail::Envelope envelope;
    envelope.type = &HangMessage::type;
    envelope.to = pid;
    HangMessage::Payload::make(envelope.payload, std::move(how_long));
    shard.deliver(envelope);
    return {};
}

/// Runs `act` on the shard of the process.
Task<Result<>> at_shard_of(Pid pid, Function<Result<>()> act) {
    if (pid.shard() >= shard_count()) co_return no_such_process(pid);
    Result<Result<>> done = co_await ask_shard<Result<>>(pid.shard(), std::move(act));
    if (!done) co_return std::move(done).error();
    co_return *std::move(done);
}

}  // namespace

Task<Result<>> crash_process(Pid pid, std::string text) {
    co_return co_await at_shard_of(pid,
                                   [pid, text = std::move(text)] { return crash_here(pid, text); });
}

Task<Result<>> hang_process(Pid pid, Duration how_long) {
    co_return co_await at_shard_of(pid, [pid, how_long] { return hang_here(pid, how_long); });
}

}  // namespace bennu::runtime
