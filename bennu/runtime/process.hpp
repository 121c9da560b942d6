#pragma once

#include <bit>
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "bennu/base/id.hpp"
#include "bennu/base/result.hpp"
#include "bennu/base/time.hpp"
#include "bennu/runtime/exit.hpp"
#include "bennu/runtime/pid.hpp"
#include "bennu/runtime/shard.hpp"
#include "bennu/runtime/task.hpp"
#include "bennu/runtime/type_name.hpp"

namespace bennu {

/// What to do with a message to a full mailbox.
using detail::Overflow;
struct MailboxOptions {
    std::uint32_t limit = 100'000;
    /// `reject`: the new message is dropped (a call answers `overloaded`); `drop_oldest`: the
    /// oldest is.
    Overflow overflow = Overflow::reject;
};

/// The base of a process whose body is an object. Messages are plain structs; each has a handler:
///
///     void handle(Message);          // cast
///     Reply handle(Message);         // call: the reply is the result
///     Task<Reply> handle(Message);   // may suspend; the mailbox waits meanwhile
///     void handle(Message, From<Reply>);   // answers later, through From
///
/// Optional members that the runtime looks for by name:
///     Task<Result<>> init();             // before the first message; an error ends the process
///     and fails `start` Task<> terminate(ExitReason);      // when stopped politely; not after a
///     fault void handle(Down); void handle(Exit);   // monitors; links (having it means: links do
///     not end this process) void handle_io(std::uint8_t tag, Readiness);   // sockets watched with
///     `watch_io` static constexpr MailboxOptions mailbox{…};
/// Handlers run one at a time, on one shard, so members need no locks. An exception ends the
/// process.
struct Server {
    static constexpr MailboxOptions mailbox{};
};

struct SpawnOptions {
    /// Registered for `whereis` until the process ends; a name that is taken makes spawning fail.
    std::string name;
    /// Links the new process to the one that spawns it: neither outlives the other's failure.
    bool link = false;
};

struct CallOptions {
    Duration timeout = std::chrono::seconds(5);
};

/// The fault of a `call` whose answer did not come.
class CallError : public std::exception {
  public:
    explicit CallError(Error error) : error_(std::move(error)), text_(error_.describe()) {}
    const char* what() const noexcept override { return text_.c_str(); }
    const Error& error() const { return error_; }

  private:
    Error error_;
    std::string text_;
};

// --- Where the running code is
// ------------------------------------------------------------------------------------

/// The process that runs now; nobody outside of processes.
Pid self();
Instant now();
Timestamp wall_now();
Random& random();
/// A fresh version 7 UUID of this shard's generator.
Id new_id();
/// The shard of the running code, and how many there are.
std::uint8_t shard_index();
std::uint8_t shard_count();
bool on_shard();
/// An object of type T that this shard's code shares (tables of a service); default-constructed on
/// first use.
template <typename T>
T& shard_local() {
    return detail::Shard::current()->local<T>();
}
/// Runs `job` on another shard, outside of any process, in order with what this shard sends there.
/// Not cancelled by the end of the caller.
void post(std::uint8_t shard, Function<void()> job);
/// Runs `hook` once, when this shard's turn ends and before it waits for I/O.
void at_turn_end(Function<void()> hook);

// --- Answers
// ------------------------------------------------------------------------------------------------------

namespace detail {

template <typename R>
struct ReplyMessage {
    static void run(Shard& shard, Process*, void* payload, ReplyTo to, Instant) {
        WaitTable::Entry* entry = shard.waits().find_waiting(to);
        if (!entry) return;
        static_cast<ValueWaitState<R>*>(entry->state)
            ->value.emplace(std::move(Boxed<R>::get(payload)));
        shard.resume_later(*entry, to);
    }
    static constexpr MessageType type{&run,   &Boxed<R>::destroy, &Boxed<R>::move, sizeof(R), true,
                                      "reply"};
};

struct Unit {};
template <typename R>
using ReplyValue = std::conditional_t<std::is_void_v<R>, Unit, R>;

/// Takes a reply to whoever waits for it, on whichever shard.
template <typename R>
void send_reply(ReplyTo to, R value) {
    if (!to) return;
    Shard* shard = Shard::current();
    if (shard && shard->index() == to.shard) {
        WaitTable::Entry* entry = shard->waits().find_waiting(to);
        if (!entry) return;
        static_cast<ValueWaitState<R>*>(entry->state)->value.emplace(std::move(value));
        shard->resume_later(*entry, to);
        return;
    }
    Envelope envelope;
    envelope.type = &ReplyMessage<R>::type;
    envelope.to = Pid(static_cast<std::uint8_t>(to.shard), 0, 0);
    envelope.reply = to;
    Boxed<R>::make(envelope.payload, std::move(value));
    shard->send(std::move(envelope));
}
void send_failure(ReplyTo to, Error error);

}  // namespace detail

/// The right to answer one call, once. Destroyed unused, it tells the caller that no answer will
/// come. Moves freely between the processes of its shard.
template <typename R>
class From {
  public:
    From() = default;
    explicit From(detail::ReplyTo to) : to_(to) {}
    From(From&& other) noexcept : to_(std::exchange(other.to_, {})) {}
    From& operator=(From&& other) noexcept {
        if (this != &other) {
            drop();
            to_ = std::exchange(other.to_, {});
        }
        return *this;
    }
    ~From() { drop(); }
    void reply(detail::ReplyValue<R> value) {
        detail::send_reply(std::exchange(to_, {}), std::move(value));
    }
    void reply()
        requires std::is_void_v<R>
    {
        reply(detail::Unit{});
    }
    void fail(Error error) { detail::send_failure(std::exchange(to_, {}), std::move(error)); }
    explicit operator bool() const { return static_cast<bool>(to_); }

  private:
    void drop() {
        if (to_)
            fail(Error(ErrorKind::cancelled, "no_reply",
                       "the server dropped the call without an answer"));
    }
    detail::ReplyTo to_;
};

// --- Messages
// -----------------------------------------------------------------------------------------------------

namespace detail {

template <typename T>
inline constexpr bool is_task = false;
template <typename T>
inline constexpr bool is_task<Task<T>> = true;

template <typename M>
struct DeclaredReply {
    using type = void;
};
template <typename M>
    requires requires { typename M::Reply; }
struct DeclaredReply<M> {
    using type = typename M::Reply;
};
/// What a call with M yields: `M::Reply`, or nothing.
template <typename M>
using ReplyOf = typename DeclaredReply<M>::type;

/// A root coroutine's promise whose result is a reply.
template <typename R>
std::coroutine_handle<> complete_handler(PromiseBase& base);

template <typename S, typename M>
struct Handler {
    static void run(Shard& shard, Process* process, void* payload, ReplyTo reply, Instant) {
        S& server = *static_cast<S*>(process->body);
        M& message = Boxed<M>::get(payload);
        if constexpr (requires { server.handle(std::move(message), From<ReplyOf<M>>(reply)); }) {
            From<ReplyOf<M>> from(reply);
            using Out = decltype(server.handle(std::move(message), std::move(from)));
            if constexpr (is_task<Out>) {
                start(shard, *process, server.handle(std::move(message), std::move(from)),
                      ReplyTo{});
            } else {
                server.handle(std::move(message), std::move(from));
            }
        } else {
            using Out = decltype(server.handle(std::move(message)));
            if constexpr (is_task<Out>) {
                start(shard, *process, server.handle(std::move(message)), reply);
            } else if constexpr (std::is_void_v<Out>) {
                Pending pending{reply};
                server.handle(std::move(message));
                pending.take();
                send_reply(reply, Unit{});
            } else {
                Pending pending{reply};
                Out out = server.handle(std::move(message));
                pending.take();
                send_reply<ReplyValue<ReplyOf<M>>>(reply, std::move(out));
            }
        }
    }
    static constexpr MessageType type{&run,  &Boxed<M>::destroy, &Boxed<M>::move, sizeof(M),
                                      false, type_name_of<M>()};

  private:
    /// Tells the caller when the handler throws.
    struct Pending {
        ReplyTo reply;
        ReplyTo take() { return std::exchange(reply, {}); }
        ~Pending() {
            if (reply)
                send_failure(
                    reply, Error(ErrorKind::closed, "crashed", "the server crashed on this call"));
        }
    };
    template <typename T>
    static void start(Shard& shard, Process& process, Task<T> task, ReplyTo reply) {
        auto handle = task.release();
        handle.promise().complete = &complete_handler<T>;
        shard.start_handler(process, handle.promise(), reply);
    }
};

template <typename S, typename M>
Envelope make_envelope(Pid to, M&& message, ReplyTo reply = {}, Instant deadline = Instant::max()) {
    Envelope envelope;
    envelope.type = &Handler<S, std::remove_cvref_t<M>>::type;
    envelope.to = to;
    envelope.reply = reply;
    envelope.deadline = deadline;
    Boxed<std::remove_cvref_t<M>>::make(envelope.payload, std::forward<M>(message));
    return envelope;
}
void send_envelope(Envelope&& envelope);

void finish_handler(PromiseBase& root);

template <typename R>
std::coroutine_handle<> complete_handler(PromiseBase& base) {
    if (!base.fault) {
        auto reply = std::bit_cast<ReplyTo>(std::exchange(base.reply, 0));
        if constexpr (std::is_void_v<R>) {
            send_reply(reply, Unit{});
        } else {
            send_reply<R>(reply, std::move(*static_cast<Promise<R>&>(base).result));
        }
    }
    finish_handler(base);
    return std::noop_coroutine();
}

/// The awaitable of a call, a sleep or any other single answer; lives in the awaiting frame.
template <typename T>
class Answer : public ValueWaitState<T> {
  public:
    Answer() = default;
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer() { release(); }

  protected:
    ReplyTo begin(std::coroutine_handle<> coroutine, Instant deadline) {
        Shard* shard = Shard::current();
        key_ = shard->waits().add(shard->index(), shard->running(), coroutine, this);
        if (deadline != Instant::max()) timer_ = shard->timers().arm_wait(deadline, key_);
        return key_;
    }
    void release() {
        if (!key_) return;
        Shard* shard = Shard::current();
        if (timer_) shard->timers().cancel(std::exchange(timer_, {}));
        shard->waits().remove(std::exchange(key_, {}));
    }

  private:
    ReplyTo key_;
    TimerKey timer_;
};

template <typename S, typename M, bool faults>
class [[nodiscard]] Call : Answer<ReplyValue<ReplyOf<M>>> {
    using R = ReplyOf<M>;

  public:
    Call(Pid to, M message, Duration timeout)
        : to_(to), message_(std::move(message)), timeout_(timeout) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        Instant deadline = timeout_ == Duration::max() ? Instant::max() : bennu::now() + timeout_;
        ReplyTo reply = this->begin(coroutine, deadline);
        send_envelope(make_envelope<S>(to_, std::move(message_), reply, deadline));
    }
    auto await_resume() {
        this->release();
        if constexpr (faults) {
            if (this->error) throw CallError(std::move(*this->error));
            if constexpr (!std::is_void_v<R>) return std::move(*this->value);
        } else if constexpr (std::is_void_v<R>) {
            return this->error ? Result<>(std::move(*this->error)) : Result<>();
        } else {
            return this->error ? Result<R>(std::move(*this->error))
                               : Result<R>(std::move(*this->value));
        }
    }

  private:
    Pid to_;
    M message_;
    Duration timeout_;
};

}  // namespace detail

/// Sends and forgets. Never blocks, never fails: a process that is gone, or whose mailbox is full,
/// drops the message. Order is kept per pair of sender and receiver.
template <typename S, typename M>
void cast(Ref<S> to, M message) {
    detail::send_envelope(detail::make_envelope<S>(to.pid(), std::move(message)));
}

/// `co_await call(ref, Message{})` yields `Message::Reply`. A server that is gone, crashes or does
/// not answer in time is a fault of the caller (CallError), as in OTP; `try_call` makes it a value.
template <typename S, typename M>
detail::Call<S, M, true> call(Ref<S> to, M message, CallOptions options = {}) {
    return {to.pid(), std::move(message), options.timeout};
}
/// As `call`, but yields `Result<Reply>`: kinds `closed` (no such process, crashed), `timeout`,
/// `overloaded`.
template <typename S, typename M>
detail::Call<S, M, false> try_call(Ref<S> to, M message, CallOptions options = {}) {
    return {to.pid(), std::move(message), options.timeout};
}

/// Names an armed `send_after`.
using TimerId = detail::TimerKey;
/// Sends the message when `delay` has passed, unless cancelled. For processes of this shard.
template <typename S, typename M>
TimerId send_after(Ref<S> to, M message, Duration delay) {
    return detail::Shard::current()->timers().arm_message(
        bennu::now() + delay, detail::make_envelope<S>(to.pid(), std::move(message)));
}
/// True when it had not fired yet.
bool cancel_timer(TimerId timer);

/// `co_await sleep(1s)`.
class [[nodiscard]] sleep : detail::Answer<detail::Unit> {
  public:
    explicit sleep(Duration duration) : duration_(duration) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        begin(coroutine, bennu::now() + duration_);
    }
    void await_resume() { release(); }

  private:
    Duration duration_;
};

// --- Life and death
// -----------------------------------------------------------------------------------------------

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
        S::mailbox.limit,  S::mailbox.overflow};
};

void fail_init(Pid pid, const Error& error);

/// The init() of a server is the handler of its first message.
template <typename S>
struct InitHandler {
    static void run(Shard& shard, Process* process, void*, ReplyTo reply, Instant) {
        auto handle = run_init(*static_cast<S*>(process->body), shard.pid_of(*process)).release();
        handle.promise().complete = &complete_handler<Result<>>;
        shard.start_handler(*process, handle.promise(), reply);
    }
    static Task<Result<>> run_init(S& server, Pid pid) {
        Result<> ready = co_await server.init();
        if (!ready) fail_init(pid, ready.error());
        co_return ready;
    }
    static void destroy(void*) {}
    static void move(void*, void*) {}
    static constexpr MessageType type{&run, &destroy, &move, 0, false, "init"};
};
/// Destroys the body when the name is taken.
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

/// Runs `make` (a few calls of `spawn`) on another shard and yields the Pid it returns. Error
/// `closed` when it throws.
class [[nodiscard]] spawn_on : detail::Answer<Pid> {
  public:
    spawn_on(std::uint8_t shard, Function<Pid()> make) : shard_(shard), make_(std::move(make)) {}
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

// --- Sockets
// ------------------------------------------------------------------------------------------------------

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
