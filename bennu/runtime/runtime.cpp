#include "bennu/runtime/runtime.hpp"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "bennu/base/log.hpp"
#include "bennu/base/random.hpp"
#include "bennu/runtime/launcher/crash_handler.hpp"
#include "bennu/runtime/launcher/node.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/reactor/epoll_reactor.hpp"
#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/thread_executor.hpp"

namespace bennu {

namespace {

std::atomic<Runtime*> current_runtime{nullptr};

/// Per shard: who waits for the request to stop.
struct StopWaiters {
    bool requested = false;
    std::vector<detail::ReplyTo> waiting;
};

class [[nodiscard]] StopAnswer : detail::Answer<detail::Unit> {
  public:
    bool await_ready() const { return shard_local<StopWaiters>().requested; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        shard_local<StopWaiters>().waiting.push_back(begin(coroutine, Instant::max()));
    }
    void await_resume() { release(); }
};

Task<> run_main(Runtime& runtime, Function<Task<Result<>>()> main, Duration grace) {
    struct Guard {
        Runtime& runtime;
        int status = 1;
        ~Guard() { runtime.finish(status); }
    } guard{runtime};
    Result<> outcome = co_await main();
    if (!outcome) log_error("stopped", {{"reason", outcome.error().describe()}});
    guard.status = outcome ? 0 : 1;
    // Without this, the shards would stop turning before supervisors could stop their children.
    const detail::Shard& shard = *detail::Shard::current();
    for (Pid child : shard.links(*shard.at_slot(self().slot()))) {
        co_await stop_and_wait(child, grace);
    }
}

/// Keeps SIGINT and SIGTERM for the signal thread. Made before any other thread, because threads
/// inherit what is blocked and one that does not block a signal would end the program by it.
class BlockedSignals {
  public:
    BlockedSignals() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGINT);
        sigaddset(&signals_, SIGTERM);
        // A shell may have started us with interrupts ignored; ignored signals never arrive here.
        for (int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
        ::pthread_sigmask(SIG_BLOCK, &signals_, &previous_);
    }
    ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }
    const sigset_t& set() const { return signals_; }

  private:
    sigset_t signals_{};
    sigset_t previous_{};
};

/// Turns SIGINT and SIGTERM into a request to stop, then into an end.
class SignalThread {
  public:
    SignalThread(Runtime& runtime, const BlockedSignals& blocked, Duration grace)
        : done_(::eventfd(0, EFD_CLOEXEC)), signals_(blocked.set()) {
        thread_ = std::thread([this, &runtime, grace] { watch(runtime, grace); });
    }
    ~SignalThread() {
        std::uint64_t one = 1;
        [[maybe_unused]] ssize_t written = ::write(done_, &one, sizeof(one));
        thread_.join();
        ::close(done_);
    }

  private:
    void watch(Runtime& runtime, Duration grace) {
        int fd = ::signalfd(-1, &signals_, SFD_CLOEXEC);
        bool asked = false;
        while (true) {
            std::array<pollfd, 2> fds{pollfd{fd, POLLIN, 0}, pollfd{done_, POLLIN, 0}};
            int wait_ms = asked ? static_cast<int>(grace / std::chrono::milliseconds(1)) : -1;
            int ready = ::poll(fds.data(), fds.size(), wait_ms);
            if (fds[1].revents) break;
            if (ready == 0) {
                log_error("did not stop in time; ending now");
                flush_log();
                std::_Exit(1);
            }
            signalfd_siginfo info{};
            if (ready > 0 && ::read(fd, &info, sizeof(info)) == sizeof(info)) {
                if (asked) std::_Exit(130);
                asked = true;
                runtime.request_stop();
            }
        }
        ::close(fd);
    }

    int done_;
    sigset_t signals_;
    std::thread thread_;
};

/// The cores that this process may run on: fewer than the machine has in a container or under
/// taskset.
unsigned usable_cores() {
    cpu_set_t cores;
    if (::sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
    return std::max(1, CPU_COUNT(&cores));
}

/// Takes no jobs: for the time in which a runtime ends.
struct NoExecutor final : Executor {
    bool submit(Function<void()>) override { return false; }
};

}  // namespace

Runtime::Runtime(unsigned shards, std::uint64_t seed, const MakeReactor& make_reactor,
                 MakeExecutor make_executor)
    : make_executor_(std::move(make_executor)), groups_(detail::make_groups()) {
    if (current_runtime.exchange(this)) std::abort();  // two runtimes at once
    for (unsigned i = 0; i < shards * shards; ++i)
        rings_.push_back(std::make_unique<detail::Ring>());
    for (unsigned i = 0; i < shards; ++i) {
        auto index = static_cast<std::uint8_t>(i);
        shards_.push_back(
            std::make_unique<detail::Shard>(*this, index, make_reactor(index), seed + i));
        shards_.back()->connect_rings(&rings_);
    }
    default_executor_ = make_executor_({.name = "offload", .threads = 4});
}

Runtime::~Runtime() {
    // Jobs that still run may finish; what they answer is dropped with the shards.
    default_executor_.reset();
    // What destructors of processes would leave to it they do themselves.
    default_executor_ = std::make_unique<NoExecutor>();
    for (auto& shard : shards_) {
        detail::Shard::Entered entered(*shard);
        shard->end_all();
    }
    for (auto& ring : rings_) {
        ring.reset();
    }
    shards_.clear();
    current_runtime.store(nullptr);
}

Runtime* Runtime::current() {
    return current_runtime.load(std::memory_order_acquire);
}

void Runtime::start_main(Function<Task<Result<>>()> main, Duration grace) {
    detail::Shard::Entered entered(*shards_[0]);
    spawn_task(
        [this, grace, main = std::make_shared<Function<Task<Result<>>()>>(std::move(main))]
        [[clang::coro_wrapper]] () -> Task<> { return run_main(*this, std::move(*main), grace); },
        {.name = "main"});
}

void Runtime::request_stop() {
    for (auto& shard : shards_) {
        shard->inject([] {
            auto& stop = shard_local<StopWaiters>();
            stop.requested = true;
            for (detail::ReplyTo waiting : stop.waiting)
                detail::send_reply(waiting, detail::Unit{});
            stop.waiting.clear();
        });
    }
}

void Runtime::finish(int status) {
    status_.store(status);
    finished_.store(true, std::memory_order_release);
    for (auto& shard : shards_) shard->inject([] {});
}

int run(RuntimeOptions options, Function<Task<Result<>>()> main) {
    // Sending a file to somebody who has gone away is a failed write, not the end of the program.
    ::signal(SIGPIPE, SIG_IGN);
    const unsigned shards = options.shards ? options.shards : usable_cores();
    std::optional<BlockedSignals> blocked;
    if (options.handle_signals) blocked.emplace();
    Runtime runtime(
        std::min(shards, 255U), secure_random_u64(),
        [](std::uint8_t) { return make_epoll_reactor(); },
        [](ExecutorOptions executor) { return make_thread_executor(std::move(executor)); });
    std::optional<SignalThread> signals;
    if (blocked) signals.emplace(runtime, *blocked, options.shutdown_grace);
    runtime.start_main(std::move(main), options.shutdown_grace);

    StallDetector stalls(options.stalls);
    auto loop = [&runtime, &stalls](detail::Shard& shard) {
        prepare_thread_for_crashes();
        detail::Heartbeat heartbeat(shard);
        detail::DeferredLogWakes later;
        StallDetector::Watching watching(stalls, shard);
        while (!runtime.finished()) {
            if (shard.turn()) continue;
            watching.rest();
            shard.wait();
            watching.go_on();
        }
    };
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < runtime.shard_count(); ++i) {
        threads.emplace_back([&, i] {
            ::pthread_setname_np(::pthread_self(), ("shard-" + std::to_string(i)).c_str());
            loop(runtime.shard(i));
        });
    }
    loop(runtime.shard(0));
    for (std::thread& thread : threads) thread.join();
    flush_log();
    return runtime.status();
}

void request_stop() {
    Runtime::current()->request_stop();
}

Task<> stop_requested() {
    co_await StopAnswer{};
}

}  // namespace bennu
