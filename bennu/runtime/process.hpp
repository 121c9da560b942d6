#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "bennu/runtime/call.hpp"
#include "bennu/runtime/exit.hpp"
#include "bennu/runtime/placement.hpp"

namespace bennu {

/// The base of a process whose body is an object. Messages are plain structs; each has a handler,
/// which may answer (the reply of a call), suspend (the mailbox waits), or answer later:
///
///     void handle(Message);
///     Reply handle(Message);
///     Task<Reply> handle(Message);
///     void handle(Message, From<Reply>);
///
/// Optional members that the runtime looks for by name:
///
/// * `Task<Result<>> init()`: before the first message; an error ends the process and fails
/// `start`.
/// * `Task<> terminate(ExitReason)`: when stopped politely; not after a fault.
/// * `void handle(Down)`: a monitored process ended.
/// * `void handle(Exit)`: a linked process ended; having it means that links do not end this one.
/// * `void handle_io(std::uint8_t tag, Readiness)`: readiness of sockets watched with `watch_io`.
/// * `static constexpr MailboxOptions mailbox{…}`.
///
/// Handlers run one at a time, on one shard, so members need no locks. An exception ends the
/// process.
struct Server : detail::Pooled {
    static constexpr MailboxOptions mailbox{};
};

struct SpawnOptions {
    /// Registered for `whereis` until the process ends; a name that is taken makes spawning fail.
    std::string name;
    /// Links the new process to the one that spawns it: neither outlives the other's failure. The
    /// spawner's polite stop ends the new process too, but not the other way round.
    bool link = false;
};

namespace detail {

/// Adapts a server type to the scheduler: one constant table per type.
template <typename S>
struct TypeOf {
    static constexpr auto on_io = []() -> void (*)(void*, std::uint8_t, Readiness) {
        if constexpr (requires(S& s) { s.handle_io(std::uint8_t{}, Readiness{}); }) {
            return [](void* body, std::uint8_t tag, Readiness ready) {
                static_cast<S*>(body)->handle_io(tag, ready);
            };
        } else {
            return nullptr;
        }
    };
    static constexpr auto make_down = []() -> Envelope (*)(Pid, Down&&) {
        if constexpr (requires(S& s, Down d) { s.handle(std::move(d)); }) {
            return [](Pid to, Down&& down) { return make_envelope<S>(to, std::move(down)); };
        } else {
            return nullptr;
        }
    };
    static constexpr auto make_exit = []() -> Envelope (*)(Pid, Exit&&) {
        if constexpr (requires(S& s, Exit e) { s.handle(std::move(e)); }) {
            return [](Pid to, Exit&& exit) { return make_envelope<S>(to, std::move(exit)); };
        } else {
            return nullptr;
        }
    };
    static constexpr auto terminate = []() -> Task<> (*)(void*, ExitReason) {
        if constexpr (requires(S& s, ExitReason r) { s.terminate(r); }) {
            return [] [[clang::coro_wrapper]] (void* body, ExitReason reason) -> Task<> {
                return static_cast<S*>(body)->terminate(std::move(reason));
            };
        } else {
            return nullptr;
        }
    };
    static constexpr ProcessType type{
        type_name_of<S>(), [](void* body) { delete static_cast<S*>(body); },
        on_io(),           make_down(),
        make_exit(),       terminate(),
        S::mailbox,        sizeof(S)};
};

void fail_init(Pid pid, const Error& error);

/// The init() of a server is the handler of its first message.
template <typename S>
struct InitHandler {
    static void run(Shard& shard, Process* process, void*, ReplyTo reply, Instant) {
        PendingReply pending{reply};
        auto handle = run_init(*static_cast<S*>(process->body), shard.pid_of(*process)).release();
        handle.promise().complete = &complete_handler<Result<>>;
        shard.start_handler(*process, handle.promise(), pending.take());
    }
    static Task<Result<>> run_init(S& server, Pid pid) {
        Result<> ready = co_await server.init();
        if (!ready) fail_init(pid, ready.error());
        co_return ready;
    }
    static void destroy(void*) {}
    static void move(void*, void*) {}
    // Ahead of everything else, in every lane.
    static constexpr MessageType type{
        .run = &run,
        .destroy = &destroy,
        .move = &move,
        .size = 0,
        .system = false,
        .name = "init",
        .priority = S::mailbox.lanes ? Priority::high : Priority::normal,
        .signal = true};
};
/// Takes the body over, also when no process comes of it (a name that is taken, no memory).
Result<Pid> spawn_body(const ProcessType& type, void* body, const SpawnOptions& options);

class [[nodiscard]] InitCall : Answer<Result<>> {
  public:
    InitCall(Pid to, const MessageType* type) : to_(to), type_(type) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine);
    Result<> await_resume();

  private:
    Pid to_;
    const MessageType* type_;
};
void send_init(Pid to, const MessageType* type);

}  // namespace detail

/// Makes a process of this shard from a server type and its constructor's arguments; its init(), if
/// it has one, runs before its first message. A name that is taken is a fault: use `start` where
/// that can happen.
template <typename S, typename... A>
Ref<S> spawn_with(const SpawnOptions& options, A&&... args) {
    Pid pid = detail::spawn_body(detail::TypeOf<S>::type, new S{std::forward<A>(args)...}, options)
                  .value();
    if constexpr (requires(S& s) { s.init(); })
        detail::send_init(pid, &detail::InitHandler<S>::type);
    return Ref<S>(pid);
}
template <typename S, typename... A>
Ref<S> spawn(A&&... args) {
    return spawn_with<S>(SpawnOptions{}, std::forward<A>(args)...);
}

/// As `spawn_with`, and waits until init() is done; its error is the outcome.
template <typename S, typename... A>
Task<Result<Ref<S>>> start(SpawnOptions options, A... args) {
    Result<Pid> pid =
        detail::spawn_body(detail::TypeOf<S>::type, new S{std::move(args)...}, options);
    if (!pid) co_return std::move(pid).error();
    if constexpr (requires(S& s) { s.init(); }) {
        Result<> ready = co_await detail::InitCall(*pid, &detail::InitHandler<S>::type);
        if (!ready) co_return std::move(ready).error();
    }
    co_return Ref<S>(*pid);
}

/// Makes a process of this shard that runs one coroutine and ends with it. The callable (and what
/// it captured) lives as long as the process.
Pid spawn_task(Function<Task<>()> body, SpawnOptions options = {});

/// Runs `make` (a few calls of `spawn`) on a shard and yields the Pid it returns; error `closed`
/// when it throws: `co_await spawn_on(place::least_loaded, [] { return spawn<Room>().pid(); })`.
class [[nodiscard]] spawn_on : detail::Answer<Pid> {
  public:
    spawn_on(std::uint8_t shard, Function<Pid()> make) : shard_(shard), make_(std::move(make)) {}
    spawn_on(Placement place, Function<Pid()> make)
        : shard_(place.choose()), make_(std::move(make)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine);
    Result<Pid> await_resume();

  private:
    std::uint8_t shard_;
    Function<Pid()> make_;
};

/// Ends a process: its frames and body are destroyed at once (or, when it is the running one, as
/// soon as it returns to the scheduler). Any shard.
void kill(Pid pid, std::string why = {});
/// Ends the running process, once its code returns to the scheduler; terminate() is not called.
void exit_self(ExitReason reason = ExitReason::normal());
/// Asks a process to end: its terminate() runs first. Any shard.
void stop(Pid pid, ExitReason reason = ExitReason::shutdown());
/// Stops and waits until the process is gone; after `grace` it is killed. Yields its exit reason.
Task<ExitReason> stop_and_wait(Pid pid, Duration grace = std::chrono::seconds(5));
bool alive(Pid pid);  ///< of a process of this shard

/// One `Down` will come when the process ends (at once, with `noproc`, when it is gone).
MonitorId monitor(Pid pid);
void demonitor(MonitorId id);
/// Ties the running process and another together: when one ends for any reason but `normal`, so
/// does the other (or gets an `Exit` message, if it handles that).
void link(Pid pid);

/// Waits until the process is gone; error `timeout`.
class [[nodiscard]] exit_of : detail::Answer<ExitReason> {
  public:
    explicit exit_of(Pid pid, Duration timeout = Duration::max()) : pid_(pid), timeout_(timeout) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine);
    Result<ExitReason> await_resume();

  private:
    Pid pid_;
    Duration timeout_;
    MonitorId monitor_;
};

/// The process registered under this name, on whichever shard; nobody when there is none.
Pid whereis(const std::string& name);
template <typename S>
Ref<S> whereis(const std::string& name) {
    return Ref<S>(whereis(name));
}

namespace detail {
void* local_body(Pid pid, const ProcessType& type);
}
/// The body of a process of this shard and of exactly this type; null when it is gone. For services
/// that serve many processes of their shard at once (fan-out of a broadcast) and would waste a
/// message on each.
template <typename S>
S* local_body(Ref<S> ref) {
    return static_cast<S*>(detail::local_body(ref.pid(), detail::TypeOf<S>::type));
}

/// This shard's clock and sockets.
Reactor& reactor();
/// Readiness of the socket goes to the running process's `handle_io` with this tag. A process has
/// one watched socket per tag. `exclusive` is for a listener that several shards share.
Result<> watch_io(SocketHandle socket, std::uint8_t tag = 0, bool exclusive = false);
/// From handle_io and plain handlers: runs a coroutine as the handler in progress. Messages wait
/// until it is done; readiness is still reported.
void run_in_process(Task<> task);
/// Whether such a coroutine (or a suspended handler) is in progress in the running process.
bool handler_in_progress();

}  // namespace bennu
