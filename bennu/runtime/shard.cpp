#include "bennu/runtime/shard.hpp"

#include "bennu/base/log.hpp"
#include "bennu/runtime/launcher/node_page.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/ready_queue.hpp"
#include "bennu/runtime/runtime_state.hpp"

namespace bennu::detail {

namespace {

constexpr std::uint32_t max_slots = 1U << 24;
constexpr int messages_per_turn = 64;
constexpr std::size_t items_per_turn = 512;
constexpr std::size_t timers_per_turn = 256;
/// All that is ready is taken at once, so that it is known since when; it is handled in portions.
constexpr std::size_t events_at_once = 4096;
constexpr std::size_t events_per_turn = 256;
constexpr Duration max_spin = std::chrono::microseconds(50);
constexpr Duration poll_interval = std::chrono::microseconds(20);
constexpr int max_turns_unpolled = 64;

/// A body that no process has yet.
struct Unowned {
    const ProcessType& type;
    void* body;
    ~Unowned() {
        if (body) type.destroy(body);
    }
};

std::uint64_t token_of(Pid pid, std::uint8_t tag) {
    return std::uint64_t{pid.generation()} << 32 | std::uint64_t{pid.slot()} << 8 | tag;
}

bool events_left(Shard& shard) {
    const auto& ready = shard.local<ReadyQueue>();
    return ready.next < ready.count;
}

}  // namespace

Shard::Shard(Runtime& runtime, std::uint8_t index, std::unique_ptr<Reactor> reactor,
             std::uint64_t seed)
    : runtime_(runtime),
      index_(index),
      reactor_(std::move(reactor)),
      random_(seed),
      now_(reactor_->now()),
      timers_(now_),
      events_(events_at_once) {}

Shard::~Shard() {
    Entered entered(*this);
    end_all();
    jobs_.clear();
    turn_end_.clear();
    injected_.clear();
    locals_.clear();
}

Shard::Entered::Entered(Shard& shard) : previous_(std::exchange(current_, &shard)) {}
Shard::Entered::~Entered() {
    current_ = previous_;
}

std::size_t Shard::next_local_key() {
    static std::atomic<std::size_t> next{0};
    return next++;
}

Pid Shard::create(const ProcessType& type, void* body) {
    Unowned unowned{type, body};
    std::uint32_t index;
    if (first_free_ != Process::nil &&
        (free_slots_ > chunk_size || used_slots_ % chunk_size == 0)) {
        index = first_free_;
        first_free_ = slot(index).next_free;
        if (first_free_ == Process::nil) last_free_ = Process::nil;
        --free_slots_;
    } else {
        if (used_slots_ == max_slots) throw std::runtime_error("too many processes on one shard");
        if (used_slots_ == chunks_.size() * chunk_size)
            chunks_.push_back(std::make_unique<Process[]>(chunk_size));
        if (used_slots_ == runs_.size() * chunk_size)
            runs_.push_back(std::make_unique<std::uint32_t[]>(chunk_size));
        index = used_slots_++;
    }
    Process& process = slot(index);
    process.flags = Process::alive;
    process.type = &type;
    process.body = std::exchange(unowned.body, nullptr);
    process.next_free = index;
    runs_[index / chunk_size][index % chunk_size] = 0;
    ++process_count_;
    if (observer_) [[unlikely]]
        observer_->spawned(*this, process);
    return Pid(index_, index, process.generation);
}

Pid Shard::create_task(const ProcessType& type, void* body, Task<> task) {
    Pid pid = create(type, body);
    Process& process = *find(pid);
    process.set(Process::task_body);
    auto handle = task.release();
    handle.promise().contains_faults = true;
    handle.promise().complete = [](PromiseBase& base) -> std::coroutine_handle<> {
        Shard::current()->root_completed(base);
        return std::noop_coroutine();
    };
    process.root = &handle.promise();
    try {
        jobs_.push_back([this, pid] {
            if (Process* p = find(pid); p && p->root) {
                run_as(*p, [p] { p->root->handle().resume(); });
            }
        });
    } catch (...) {
        MustAllocate handling;
        exit(process, ExitReason::killed("not started"));
        throw;
    }
    return pid;
}

Extension& Shard::extension(Process& process) {
    return process.besides.make_extension();
}

std::vector<Pid> Shard::processes() const {
    std::vector<Pid> pids;
    for (std::uint32_t i = 0; i < used_slots_; ++i) {
        if (slot(i).has(Process::alive)) pids.push_back(pid_of(slot(i)));
    }
    return pids;
}

template <typename F>
void Shard::run_as(Process& process, F&& code) {
    Pid previous = std::exchange(running_, pid_of(process));
    process.set(Process::running);
    note_run(process);
    std::unique_ptr<Fault> fault;
    try {
        code();
    } catch (...) {
        MustAllocate handling;
        fault = std::make_unique<Fault>();
        fault->exception = std::current_exception();
    }
    process.clear(Process::running);
    running_ = previous;
    if (fault) {
        end(process, ExitReason::from_fault(*fault));
    } else if (process.has(Process::exiting)) {
        end(process, extension(process).exit_reason);
    } else if (process.has(Process::root_done)) {
        finish_root(process);
    } else if (process.has(Process::stopping) && !process.has(Process::terminating) &&
               !process.root) {
        begin_terminate(process);
    }
}

void Shard::root_completed(PromiseBase& root) {
    Process* process = find(running_);
    if (process && process->root == &root) process->set(Process::root_done);
}

void Shard::finish_root(Process& process) {
    PromiseBase* root = std::exchange(process.root, nullptr);
    process.clear(Process::root_done);
    std::unique_ptr<Fault> fault = std::move(root->fault);
    auto reply = std::bit_cast<ReplyTo>(root->reply);
    ExitReason reason;
    const ExitReason* outer_ending = ending_;
    if (fault) {
        reason = ExitReason::from_fault(*fault);
        ending_ = &reason;
    }
    root->handle().destroy();
    ending_ = outer_ending;
    if (fault) {
        send_failure(reply, Error(ErrorKind::closed, "crashed", "the server crashed on this call"));
        end(process, std::move(reason));
    } else if (process.has(Process::task_body)) {
        end(process, ExitReason::normal());
    } else if (process.has(Process::terminating)) {
        end(process, extension(process).exit_reason);
    } else if (process.has(Process::stopping)) {
        begin_terminate(process);
    } else if (process.mailbox != 0) {
        schedule(process);
    }
}

void Shard::begin_terminate(Process& process) {
    process.set(Process::terminating);
    run_as(process, [&] {
        Task<> task = process.type->terminate(process.body, extension(process).exit_reason);
        auto handle = task.release();
        handle.promise().complete = &complete_handler<void>;
        start_handler(process, handle.promise(), {});
    });
}

std::uint32_t Shard::runs(const Process& process) const {
    return runs_[process.next_free / chunk_size][process.next_free % chunk_size];
}

void Shard::schedule(Process& process) {
    if (process.has(Process::scheduled) || process.root) return;
    process.set(Process::scheduled);
    run_queue_.push({process.next_free, 1, process.generation});
}

void Shard::run_process(Process& process) {
    process.clear(Process::scheduled);
    std::uint32_t generation = process.generation;
    for (int i = 0; i < messages_per_turn; ++i) {
        if (process.generation != generation || process.mailbox == 0 || process.root) return;
        Message* next;
        if (process.has(Process::queues)) [[unlikely]] {
            next = next_queued(process);
        } else {
            next = pop_message(process.tail);
            --process.mailbox;
        }
        run_message(process, next);
    }
    if (process.generation == generation && process.mailbox != 0) schedule(process);
}

void Shard::run_message(Process& process, Message* message) {
    struct Guard {
        Shard& shard;
        Message* message;
        ~Guard() {
            destroy_message(message);
            shard.deadline_ = Instant::max();
        }
    };
    if (observer_) [[unlikely]]
        observer_->runs(*this, process, *message);
    run_as(process, [&] {
        Guard guard{*this, message};
        Envelope& e = message->envelope;
        if (e.reply && e.deadline != Instant{}) {
            if (given_up(e)) {
                // A time-out of its caller fires by itself.
                ++calls_skipped_;
                return;
            }
            deadline_ = e.deadline;
        }
        e.type->run(*this, &process, e.payload, e.reply, e.deadline);
    });
}

void Shard::run_wait(const Due& due) {
    WaitTable::Entry* entry = waits_.find(due.index, due.generation);
    if (!entry || !entry->completed) return;
    std::coroutine_handle<> coroutine = entry->coroutine;
    if (Process* owner = find(entry->owner)) {
        if (observer_) [[unlikely]]
            observer_->resumes(*this, entry->owner);
        run_as(*owner, [&] { coroutine.resume(); });
    }
}

void Shard::resume_later(const WaitTable::Entry& entry, ReplyTo key) {
    const_cast<WaitTable::Entry&>(entry).completed = true;
    if (observer_) [[unlikely]]
        observer_->answered(*this, entry.owner);
    run_queue_.push({key.index, 0, key.generation});
}

void Shard::fail_wait(ReplyTo key, Error error) {
    WaitTable::Entry* entry = waits_.find_waiting(key);
    if (!entry) return;
    entry->state->error.emplace(std::move(error));
    resume_later(*entry, key);
}

bool Shard::drain_rings() {
    bool any = false;
    for (unsigned from = 0; from < runtime_.shard_count(); ++from) {
        if (from == index_) continue;
        auto sender = static_cast<std::uint8_t>(from);
        any |= ring_from(sender).pull([this, &sender](Envelope& e) {
            if (observer_) [[unlikely]]
                observer_->arriving(*this, &sender);
            deliver(e);
        }) > 0;
    }
    if (observer_) [[unlikely]]
        observer_->arriving(*this, nullptr);
    return any;
}

bool Shard::drain_jobs() {
    if (has_injected_.load(std::memory_order_relaxed)) {
        has_injected_.store(false, std::memory_order_seq_cst);
        std::lock_guard lock(injected_mutex_);
        for (auto& job : injected_) jobs_.push_back(std::move(job));
        injected_.clear();
    }
    if (jobs_.empty()) return false;
    std::vector<Function<void()>> jobs = std::exchange(jobs_, {});
    for (auto& job : jobs) {
        Pid previous = std::exchange(running_, Pid());
        note_step();
        job();
        running_ = previous;
    }
    return true;
}

bool Shard::fire_timers() {
    fired_.clear();
    timers_.advance(now_, timers_per_turn, fired_);
    for (TimerWheel::Fired& fired : fired_) {
        if (observer_) [[unlikely]]
            observer_->timer(*this);
        if (fired.message) {
            deliver(fired.message->envelope);
            delete fired.message;
        } else {
            fail_wait(fired.wait, Error(ErrorKind::timeout, "timeout", "the time is up"));
        }
    }
    return !fired_.empty();
}

bool Shard::poll(Instant until) {
    auto& ready = local<ReadyQueue>();
    if (ready.next == ready.count) {
        const bool sleeps = until > now_;
        if (sleeps) beat_->store(NodePage::asleep, std::memory_order_relaxed);
        // Here and not by whoever logs: this is between two processes, and about to enter the
        // kernel.
        if (log_wake_due) wake_log_writer();
        ready.next = 0;
        ready.count = reactor_->poll(until, events_);
        now_ = reactor_->now();
        beat_->store(now_.ns, std::memory_order_relaxed);
        // What a shard waited for is new. Otherwise it came since the last look, unless that left
        // some.
        if (sleeps || ready.idle) {
            ready.since = now_;
        } else if (ready.took_all) {
            ready.since = polled_ + (now_ - polled_) / 2;
        }
        ready.took_all = ready.count < events_.size();
        polled_ = now_;
        turns_unpolled_ = 0;
    }
    const std::size_t last = std::min(ready.count, ready.next + events_per_turn);
    const bool any = ready.next < last;
    while (ready.next < last) {
        const Reactor::Event event = events_[ready.next++];
        Pid pid(index_, static_cast<std::uint32_t>(event.token >> 8) & 0xFFFFFF,
                static_cast<std::uint32_t>(event.token >> 32));
        if (Process* process = find(pid); process && process->type->on_io) {
            if (observer_) [[unlikely]]
                observer_->socket_ready(*this, pid);
            run_as(*process, [&] {
                process->type->on_io(process->body, static_cast<std::uint8_t>(event.token),
                                     event.ready);
            });
        }
    }
    return any;
}

bool Shard::publish() {
    bool any = false;
    for (unsigned to = 0; to < runtime_.shard_count(); ++to) {
        if (to == index_ || !ring_to(static_cast<std::uint8_t>(to)).publish()) continue;
        any = true;
        Shard& other = runtime_.shard(to);
        if (other.sleeping_.load(std::memory_order_seq_cst)) other.wake();
    }
    return any;
}

bool Shard::turn(Polling polling) {
    Entered entered(*this);
    now_ = reactor_->now();
    beat_->store(now_.ns, std::memory_order_relaxed);
    note_step();
    bool any = drain_rings();
    any |= drain_jobs();
    any |= fire_timers();
    // Sockets are looked at often enough to be served in time, and not once for every message.
    if (polling == Polling::always || events_left(*this) || now_ - polled_ >= poll_interval ||
        ++turns_unpolled_ >= max_turns_unpolled) {
        any |= poll(Instant{});
    }
    note_load();
    for (std::size_t i = 0; i < items_per_turn && !run_queue_.empty(); ++i) {
        Due due = run_queue_.pop();
        any = true;
        if (!due.process) {
            run_wait(due);
        } else if (Process* process = find(Pid(index_, due.index, due.generation))) {
            run_process(*process);
        }
    }
    while (!turn_end_.empty()) {
        std::vector<Function<void()>> hooks = std::exchange(turn_end_, {});
        note_step();
        for (auto& hook : hooks) hook();
    }
    any |= publish();
    local<ReadyQueue>().idle = !any;
    return any;
}

bool Shard::idle() const {
    if (!run_queue_.empty() || !jobs_.empty() || events_left(*const_cast<Shard*>(this)) ||
        has_injected_.load(std::memory_order_seq_cst)) {
        return false;
    }
    for (unsigned from = 0; from < runtime_.shard_count(); ++from) {
        if (from == index_) continue;
        auto* self = const_cast<Shard*>(this);
        if (!self->ring_from(static_cast<std::uint8_t>(from)).empty()) return false;
        if (self->ring_to(static_cast<std::uint8_t>(from)).has_overflow()) return false;
    }
    return true;
}

void Shard::wait() {
    Entered entered(*this);
    note_step();
    // A message from another shard often follows soon: look a little while before sleeping in the
    // kernel, if that would have paid off the last time.
    if (spin_) {
        const Instant give_up = reactor_->now() + max_spin;
        while (idle() && reactor_->now() < give_up) {
            for (int i = 0; i < 32 && idle(); ++i) __builtin_ia32_pause();
        }
        if (!idle()) return;
        spin_ = false;
    }
    const Instant slept = reactor_->now();
    sleeping_.store(true, std::memory_order_seq_cst);
    if (idle()) {
        poll(timers_.next_deadline());
        spin_ = runtime_.shard_count() > 1 && !idle() && now_ - slept < max_spin;
    }
    sleeping_.store(false, std::memory_order_seq_cst);
}

Result<> Shard::watch_io(Process& process, SocketHandle socket, std::uint8_t tag, bool exclusive) {
    return reactor_->watch(socket, token_of(pid_of(process), tag), exclusive);
}

}  // namespace bennu::detail
