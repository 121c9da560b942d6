#include "bennu/runtime/supervisor/crew.hpp"
namespace bennu::detail {

void Crew::add(std::uint64_t tag, Task<Result<>> branch) {
    std::uint64_t serial = next_serial_++;
    Task<>& task = branches_[serial] = run(this, serial, tag, std::move(branch));
    auto handle = task.handle();
    handle.promise().contains_faults = true;
    // A finished branch stays where it is until its crew is asked: the code that frees it must not
    // run on its own frame.
    handle.promise().complete = [](PromiseBase&) -> std::coroutine_handle<> {
        return std::noop_coroutine();
    };
    handle.resume();
}

Task<> Crew::run(Crew* crew, std::uint64_t serial, std::uint64_t tag, Task<Result<>> branch) {
    Contained<Result<>> outcome = co_await contain(std::move(branch));
    if (outcome.fault) {
        crew->finish(serial, tag, Error(ErrorKind::internal, "fault", outcome.fault->describe()));
    } else {
        crew->finish(serial, tag, *std::move(outcome.value));
    }
}

void Crew::finish(std::uint64_t serial, std::uint64_t tag, Result<> outcome) {
    finished_.push_back({serial, {tag, std::move(outcome)}});
    send_reply(std::exchange(waiting_, {}), Unit{});
}

Crew::Finished Crew::Next::await_resume() {
    release();
    Done done = std::move(crew_.finished_.front());
    crew_.finished_.erase(crew_.finished_.begin());
    crew_.branches_.erase(done.serial);
    return std::move(done.result);
}

void Crew::forget_finished() {
    for (const Done& done : finished_) branches_.erase(done.serial);
    finished_.clear();
}

}  // namespace bennu::detail
