#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/random.hpp"
#include "bennu/runtime/exit.hpp"
#include "bennu/runtime/extension.hpp"
#include "bennu/runtime/message.hpp"
#include "bennu/runtime/reactor/reactor.hpp"
#include "bennu/runtime/ring.hpp"
#include "bennu/runtime/run_queue.hpp"
#include "bennu/runtime/shard_observer.hpp"
#include "bennu/runtime/task.hpp"
#include "bennu/runtime/timer_wheel.hpp"
#include "bennu/runtime/wait.hpp"

namespace bennu {
class Runtime;
class WorkLabel;
}  // namespace bennu

namespace bennu::detail {

/// What the scheduler knows about a kind of process; one constant table per server type.
struct ProcessType {
    const char* name;
    void (*destroy)(void* body);
    void (*on_io)(void* body, std::uint8_t tag, Readiness ready);  ///< null: has no sockets
    Envelope (*make_down)(Pid to, Down&& down);                    ///< null: does not handle Down
    Envelope (*make_exit)(Pid to, Exit&& exit);                    ///< null: does not trap exits
    Task<> (*terminate)(void* body, ExitReason reason);            ///< null: nothing to clean up
    MailboxOptions mailbox;
    std::uint32_t body_size = 0;
};

/// One process: one cache line. Idle, it holds its body and nothing else.
struct Process {
    enum Flag : std::uint16_t {
        alive = 1,
        scheduled = 2,   ///< stands in the run queue
        root_done = 4,   ///< its coroutine completed; the scheduler collects it
        exiting = 8,     ///< ends as soon as the code that runs now returns
        stopping = 16,   ///< asked to stop; terminate() is due or running
        task_body = 32,  ///< a bare coroutine: ends with it
        running = 64,    ///< its code is on the stack
        terminating = 128,
        queues = 256,  ///< its mailbox has more than the normal lane: see MailboxQueues
    };

    std::uint32_t generation = 1;
    std::uint16_t flags = 0;
    Message* tail = nullptr;    ///< the messages of normal priority
    std::uint32_t mailbox = 0;  ///< how many messages of any priority
    std::uint32_t next_free = 0;
    void* body = nullptr;
    const ProcessType* type = nullptr;
    PromiseBase* root = nullptr;
    std::uint32_t watchers = nil;  ///< who watches this process
    std::uint32_t watching = nil;  ///< whom this process watches
    Besides besides;

    static constexpr std::uint32_t nil = 0xFFFFFFFF;
    bool has(Flag flag) const { return (flags & flag) != 0; }
    void set(Flag flag) { put(flags | flag); }
    void clear(Flag flag) { put(flags & ~flag); }

  private:
    /// Always all of it: what changes one byte delays a look at both that follows at once until the
    /// store is in the cache.
    void put(int all) {
        asm("" : "+r"(all));
        flags = static_cast<std::uint16_t>(all);
    }
};
static_assert(sizeof(Process) == 64);

/// One direction of a monitor or a link, as seen by the watcher's shard, the target's shard or
/// (when they are the same) both. A link of a process with one that it spawned on its shard is both
/// directions in one: such links are made by the million.
struct Watch {
    std::uint32_t generation = 1;
    bool active = false;
    bool link = false;
    bool of_child =
        false;  ///< a link whose target the watcher spawned: its polite stop is no failure
    bool mutual = false;  ///< the target watches the watcher, too
    Pid watcher;
    Pid target;
    union {
        ReplyTo wait{};    ///< on the watcher's shard; set: a coroutine waits instead of a mailbox
        MonitorId remote;  ///< on the target's shard: the watcher's entry on its own shard
    };
    std::uint32_t next_watcher = Process::nil, previous_watcher = Process::nil;
    std::uint32_t next_watching = Process::nil, previous_watching = Process::nil;
};

static_assert(sizeof(Watch) == 48);

/// Sizes of what a shard holds.
struct ShardGauges {
    std::size_t processes = 0, slots = 0, queued = 0, suspended = 0, timers = 0, monitors = 0;
    std::uint64_t steps = 0;
    std::uint64_t rejected = 0, dropped = 0, skipped = 0;  ///< messages, since it began
    std::size_t waiting_senders = 0;
    std::size_t process_bytes = 0, queue_bytes = 0, wait_bytes = 0, timer_bytes = 0;
    std::size_t monitor_bytes = 0;
};

/// One thread's world: its processes, their mailboxes, timers and sockets. Nothing in it is touched
/// by another thread but the rings and `inject`.
class Shard {
  public:
    Shard(Runtime& runtime, std::uint8_t index, std::unique_ptr<Reactor> reactor,
          std::uint64_t seed);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    static Shard* current() { return current_; }
    /// Makes this the current shard of the calling thread while alive.
    class Entered {
      public:
        explicit Entered(Shard& shard);
        ~Entered();
        Entered(const Entered&) = delete;
        Entered& operator=(const Entered&) = delete;

      private:
        Shard* previous_;
    };

    // Processes.
    Pid create(const ProcessType& type, void* body);
    /// Starts a bare coroutine as a process of its own, at the next turn.
    Pid create_task(const ProcessType& type, void* body, Task<> task);
    Extension& extension(Process& process);
    Process* find(Pid pid) {
        if (pid.slot() >= used_slots_ || pid.shard() != index_) return nullptr;
        Process& process = slot(pid.slot());
        return process.has(Process::alive) && process.generation == pid.generation() ? &process
                                                                                     : nullptr;
    }
    /// Has `hook` told of the end of this shard's process, once; false when that is gone already.
    bool add_exit_hook(Pid pid, std::shared_ptr<ExitHook> hook);
    void remove_exit_hook(Pid pid, const ExitHook* hook);
    Pid pid_of(const Process& process) const {
        // `next_free` holds the slot's own index while it is in use.
        return Pid(index_, process.next_free, process.generation);
    }
    Pid running() const { return running_; }
    /// Why the process ends whose frames and body are being destroyed; null at any other time.
    const ExitReason* ending() const { return ending_; }
    /// Ends a process: at once, or when the code of it that runs now returns.
    void exit(Process& process, ExitReason reason);
    /// Asks politely: terminate() first, if it has one.
    void stop(Process& process, ExitReason reason);
    /// A linked process ended: handled, passed on, or ignored. Any shard's process.
    void signal_exit(Pid to, Exit exit);
    /// Runs a coroutine as the handler in progress; the mailbox waits until it is done.
    void start_handler(Process& process, PromiseBase& root, ReplyTo reply);
    void root_completed(PromiseBase& root);

    /// How long the caller of the handler in progress still waits; `Duration::max()` for a cast.
    Duration time_left();
    /// When the caller of the handler with this root gives up, to a millisecond, rounded up.
    Instant handler_deadline(const PromiseBase& root) const;
    bool caller_gone();
    /// Calls and sends that were not run, because their senders had given up.
    std::uint64_t calls_skipped() const { return calls_skipped_; }
    std::uint64_t messages_rejected() const { return rejected_; }
    std::uint64_t messages_dropped() const { return dropped_; }
    /// The sender of a call (or send) to this shard's process does not wait any more.
    void cancel_call(Pid to, ReplyTo reply);

    /// How much this shard has to do, as of its last turn: what is due counts more than what is
    /// idle. Any thread.
    std::uint32_t load() const { return load_.load(std::memory_order_relaxed); }
    /// Counts a process that is on its way here, until the next turn sees it. Any thread.
    void expect_process() { load_.fetch_add(1, std::memory_order_relaxed); }

    // Messages.
    void send(Envelope&& envelope) {
        if (envelope.to.shard() == index_) {
            deliver(envelope);
        } else {
            send_away(envelope);
        }
    }
    void deliver(Envelope& envelope);
    void post(std::uint8_t shard, Function<void()> job);
    /// From any thread.
    void inject(Function<void()> job);

    // Waiting coroutines.
    WaitTable& waits() { return waits_; }
    void resume_later(const WaitTable::Entry& entry, ReplyTo key);
    void fail_wait(ReplyTo key, Error error);

    // Monitors and links.
    MonitorId watch(Process& watcher, Pid target, bool link, ReplyTo wait);
    /// Ties a process to one that it spawned just now.
    void link_child(Process& parent, Process& child);
    void unwatch(MonitorId id);
    void add_remote_watch(Pid watcher, MonitorId id, Pid target, bool link);

    // Time and I/O.
    Instant now() const { return now_; }
    Timestamp wall_now() { return reactor_->wall_now(); }
    TimerWheel& timers() { return timers_; }
    Reactor& reactor() { return *reactor_; }
    Random& random() { return random_; }
    Result<> watch_io(Process& process, SocketHandle socket, std::uint8_t tag, bool exclusive);
    /// Runs `hook` once, at the end of this turn: where writes of a turn are coalesced.
    void at_turn_end(Function<void()> hook) { turn_end_.push_back(std::move(hook)); }

    /// Whether a turn looks at the sockets only when that is due (`wait` does it anyway when there
    /// is nothing else to do), or always: the simulator has no `wait`.
    enum class Polling : std::uint8_t { when_due, always };
    /// Runs what is due; true when something ran.
    bool turn(Polling polling = Polling::when_due);
    /// Waits for work in the reactor until something is due.
    void wait();
    bool idle() const;
    Instant next_deadline() const { return timers_.next_deadline(); }
    /// Ends every process, newest first. After this the shard only frees memory.
    void end_all();

    // Insight (shard_insight.cpp).
    /// Whether the process of this shard has a link to `target`; whether `watcher` has one to it.
    bool linked(const Process& process, Pid target) const;
    bool linked_by(const Process& process, Pid watcher) const;
    /// Whom the process linked itself with, newest first.
    std::vector<Pid> links(const Process& process) const;
    std::uint32_t used_slots() const { return used_slots_; }
    /// Null when the slot is free.
    const Process* at_slot(std::uint32_t index) const;
    /// How often the process's code was entered: messages, resumptions, socket readiness.
    std::uint32_t runs(const Process& process) const;
    ShardGauges gauges() const;
    /// Moves on whenever other code gets the shard: what the stall detector looks at. Own thread.
    std::uint64_t steps() const { return steps_.load(std::memory_order_relaxed); }

    /// Where each turn leaves its time; nullptr: nowhere.
    void beat_into(std::atomic<std::int64_t>* stamp) { beat_ = stamp ? stamp : &no_beat_; }
    /// What this shard's processes work on, newest first.
    WorkLabel*& newest_work() { return newest_work_; }

    Runtime& runtime() { return runtime_; }
    std::uint8_t index() const { return index_; }
    std::size_t process_count() const { return process_count_; }
    std::vector<Pid> processes() const;
    /// A per-shard object of a service (a topic table, a connection count…), made on first use.
    template <typename T>
    T& local() {
        static const std::size_t key = next_local_key();
        if (key < locals_.size()) [[likely]] {
            if (void* made = locals_.data()[key].get()) [[likely]]
                return *static_cast<T*>(made);
        }
        return make_local<T>(key);
    }

    void connect_rings(std::vector<std::unique_ptr<Ring>>* all) { rings_ = all; }
    /// Shows everything that happens here to `observer` from now on; null: to nobody.
    void observe(ShardObserver* observer) { observer_ = observer; }
    void wake() { reactor_->wake(); }

  private:
    static constexpr std::uint32_t chunk_size = 4096;
    static inline constinit thread_local Shard* current_ = nullptr;
    static std::size_t next_local_key();
    template <typename T>
    [[gnu::noinline]] T& make_local(std::size_t key) {
        // Made before there is room for it: its constructor may ask for others.
        std::shared_ptr<T> made = std::make_shared<T>();
        if (key >= locals_.size()) locals_.resize(key + 1);
        locals_[key] = made;
        return *made;
    }
    void note_step() {
        // Written by this thread only; atomic for the signal handler that reads it.
        steps_.store(steps_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void note_run(const Process& process) {
        note_step();
        std::uint32_t& runs =
            runs_.data()[process.next_free / chunk_size].get()[process.next_free % chunk_size];
        if (runs != UINT32_MAX) ++runs;
    }

    // `data` and `get`: these run several times for each message, on indexes known to be good.
    /// Whether `child` was spawned by `parent` and linked then.
    bool mutual(const Process& child, Pid parent) const;

    Process& slot(std::uint32_t index) {
        return chunks_.data()[index / chunk_size].get()[index % chunk_size];
    }
    const Process& slot(std::uint32_t index) const {
        return chunks_.data()[index / chunk_size].get()[index % chunk_size];
    }
    void schedule(Process& process);
    void run_process(Process& process);
    void run_message(Process& process, Message* message);
    void run_wait(const Due& due);
    /// Calls `code` as the process: catches its fault, collects its finished coroutine, ends it if
    /// due.
    template <typename F>
    void run_as(Process& process, F&& code);
    void finish_root(Process& process);
    void begin_terminate(Process& process);
    void end(Process& process, ExitReason reason);
    // The mailbox (shard_mailbox.cpp).
    void enqueue(Process& process, Envelope& envelope);
    void deliver_special(Process& process, Envelope& envelope);
    bool make_room(Process& process, Envelope& envelope);
    bool wait_for_room(Process& process, Envelope& envelope);
    bool drop_oldest(Process& process, Priority lane);
    void put_into_lane(Process& process, Message* message);
    Message* next_queued(Process& process);
    void admit_waiting(Process& process, Priority lane);
    void skip_given_up(MailboxQueues& queues);
    /// Whether nobody waits for the answer to this call or send.
    bool given_up(const Envelope& envelope);
    /// Destroys it after this step: its destructor may do anything.
    void discard(Message* message);
    void note_overflow(Process& process);
    void drop_mailbox(Process& process);
    void note_load();
    void fire_watchers(Process& process, const ExitReason& reason);
    void notify(Pid watcher, const Watch& watch, MonitorId id, const ExitReason& reason);
    void take_down(MonitorId id, Pid target, const ExitReason& reason);
    void unlink_watch(std::uint32_t index);
    void drop_remote_watch(Pid target, Pid watcher, MonitorId id);
    std::uint32_t new_watch();
    Ring& ring_to(std::uint8_t shard);
    Ring& ring_from(std::uint8_t shard);
    [[gnu::noinline]] void return_to_sender(Envelope& envelope);
    /// A mailbox node for the envelope; without memory the sender faults, and the message is gone.
    static Message* new_message(Envelope& envelope);
    void send_away(Envelope& envelope);
    bool drain_rings();
    bool drain_jobs();
    bool fire_timers();
    bool poll(Instant until);
    bool publish();

    Runtime& runtime_;
    std::uint8_t index_;
    std::unique_ptr<Reactor> reactor_;
    Random random_;
    Instant now_;
    TimerWheel timers_;
    WaitTable waits_;
    Pid running_;
    ShardObserver* observer_ = nullptr;
    const ExitReason* ending_ = nullptr;
    Instant deadline_ = Instant::max();  ///< of the message that runs now
    std::uint64_t calls_skipped_ = 0, rejected_ = 0, dropped_ = 0;
    std::size_t waiting_senders_ = 0;
    std::atomic<std::uint32_t> load_{0};
    bool closing_ = false;  ///< the runtime is being destroyed: nothing leaves the shard any more
    std::vector<std::unique_ptr<Process[]>> chunks_;
    std::vector<std::unique_ptr<std::uint32_t[]>> runs_;  ///< beside the chunks
    std::atomic<std::uint64_t> steps_{0};
    std::atomic<std::int64_t> no_beat_{0};
    std::atomic<std::int64_t>* beat_ = &no_beat_;  ///< see NodePage
    WorkLabel* newest_work_ = nullptr;
    std::uint32_t used_slots_ = 0;
    std::uint32_t first_free_ = Process::nil, last_free_ = Process::nil;
    std::size_t process_count_ = 0;
    std::size_t free_slots_ = 0;
    RunQueue run_queue_;
    std::vector<Watch> watches_;
    std::vector<std::uint32_t> free_watches_;
    std::vector<Function<void()>> turn_end_;
    std::vector<Function<void()>> jobs_;
    Instant polled_;
    int turns_unpolled_ = 0;
    bool spin_ = false;
    std::vector<Reactor::Event> events_;
    std::vector<TimerWheel::Fired> fired_;
    std::vector<std::unique_ptr<Ring>>* rings_ = nullptr;
    std::atomic<bool> sleeping_{false};
    std::mutex injected_mutex_;
    std::vector<Function<void()>> injected_;
    std::atomic<bool> has_injected_{false};
    std::vector<std::shared_ptr<void>> locals_;
};

}  // namespace bennu::detail
