#include "bennu/runtime/insight/stall.hpp"

#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "bennu/base/log.hpp"
#include "bennu/runtime/insight/stall_reporter.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu {

namespace {

constexpr Duration shortest_tick = std::chrono::milliseconds(1);
constexpr std::size_t kept_samples = 512;
constexpr int most_quiet_looks = 16;

/// Which clock interrupted the thread.
enum Clock : int { processor, wall };

int tick_signal() {
    return SIGRTMIN + 3;
}

Duration thread_cpu_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

/// What the signal handler of one thread works on. Nothing else writes it while the clocks run.
///
/// The kernel looks at a thread's processor time only at its own ticks, and on a busy machine many
/// of them find another thread running: tens of milliseconds may pass unseen. So while the thread
/// is awake the wall clock, which is exact, makes it look too. That one stops when it finds a
/// thread that sleeps, and starts when the thread goes on or the processor clock has found it
/// running.
struct StallDetector::Watching::Thread {
    Reporter& reporter;
    detail::Shard& shard;
    Duration interval;
    timer_t processor_timer{}, wall_timer{};
    bool armed = false;
    std::atomic<bool> wall_clock_runs{false};
    std::atomic<bool> resting{false};
    int quiet_looks = 0;  ///< in a row, that found hardly any processor time used
    std::uint64_t seen_step = 0;
    Duration seen_at{};      ///< processor time of the first tick that saw this step
    Duration looked_at{};    ///< of the latest tick
    Duration next_report{};  ///< how long it must hold for the next report
    std::array<std::atomic<std::uint64_t>, kept_samples> samples{};
    std::atomic<std::size_t> sample_count{0};

    void tick(Clock clock, const ucontext_t* context);
    void report(Duration held, Pid running, const ucontext_t* context);
    void run_wall_clock();
};

namespace {

constinit thread_local StallDetector::Watching::Thread* watched = nullptr;

itimerspec every(Duration interval) {
    auto seconds = std::chrono::floor<std::chrono::seconds>(interval);
    itimerspec spec{};
    spec.it_value = {seconds.count(), (interval - seconds).count()};
    return spec;
}

void on_tick(int, siginfo_t* info, void* context) {
    int saved = errno;
    if (watched)
        watched->tick(static_cast<Clock>(info->si_value.sival_int),
                      static_cast<const ucontext_t*>(context));
    errno = saved;
}

}  // namespace

void StallDetector::Watching::Thread::tick(Clock clock, const ucontext_t* context) {
    Pid running = shard.running();
    if (clock == processor) {
        std::size_t at = sample_count.load(std::memory_order_relaxed);
        samples[at % kept_samples].store(running.bits(), std::memory_order_relaxed);
        sample_count.store(at + 1, std::memory_order_relaxed);
    }
    std::uint64_t step = shard.steps();
    Duration now = thread_cpu_time();
    Duration used = now - std::exchange(looked_at, now);
    quiet_looks = used < interval / 16 ? quiet_looks + 1 : 0;
    // Code that runs may find little time used because others had the processor; code that is in a
    // blocking system call is not to be interrupted for long.
    bool rests = resting.load(std::memory_order_relaxed) && !running;
    if (clock == processor || quiet_looks == 0 || (!rests && quiet_looks < most_quiet_looks)) {
        run_wall_clock();
    } else {
        wall_clock_runs.store(false, std::memory_order_relaxed);
    }
    if (step != seen_step) {
        seen_step = step;
        seen_at = now;
        next_report = reporter.options.threshold;
        return;
    }
    // It ran when it was seen first, and has run ever since: at least this long.
    Duration held = now - seen_at;
    if (held < next_report) return;
    while (next_report <= held) next_report *= 10;
    report(held, running, context);
}

void StallDetector::Watching::Thread::run_wall_clock() {
    wall_clock_runs.store(true, std::memory_order_relaxed);
    itimerspec once = every(interval);
    ::timer_settime(wall_timer, 0, &once, nullptr);
}

void StallDetector::Watching::Thread::report(Duration held, Pid running,
                                             const ucontext_t* context) {
    StallRecord* record = reporter.take();
    if (!record) return;
    record->shard = shard.index();
    record->pid = running;
    record->held = held;
    int count = ::backtrace(record->stack.data(), static_cast<int>(record->stack.size()));
    // Without the frames of this handler: the interrupted one is where the program counter was.
    void* interrupted = nullptr;
#if defined(__x86_64__)
    interrupted = reinterpret_cast<void*>(context->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
    interrupted = reinterpret_cast<void*>(context->uc_mcontext.pc);
#endif
    int first = 0;
    while (first < count && record->stack[static_cast<std::size_t>(first)] != interrupted) ++first;
    if (first == count) first = std::min(2, count);
    std::move(record->stack.begin() + first, record->stack.begin() + count, record->stack.begin());
    record->frames = count - first;
    reporter.publish(*record);
}

StallDetector::StallDetector(StallOptions options) {
    if (options.threshold <= Duration::zero()) return;
    // Loads the unwinder now: in the handler it would have to allocate.
    std::array<void*, 2> warm_up{};
    ::backtrace(warm_up.data(), static_cast<int>(warm_up.size()));
    struct sigaction action{};
    action.sa_sigaction = &on_tick;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigaction(tick_signal(), &action, nullptr);
    reporter_ = std::make_unique<Reporter>(options);
}

StallDetector::~StallDetector() = default;

StallDetector::Watching::Watching(StallDetector& detector, detail::Shard& shard) {
    if (!detector.reporter_) return;
    Duration interval = std::max(detector.reporter_->options.threshold / 4, shortest_tick);
    thread_ = std::unique_ptr<Thread>(new Thread{*detector.reporter_, shard, interval});
    // The first tick may come before the shard's first step.
    thread_->seen_step = shard.steps();
    thread_->seen_at = thread_cpu_time();
    thread_->next_report = detector.reporter_->options.threshold;
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = tick_signal();
    event._sigev_un._tid = ::gettid();
    event.sigev_value.sival_int = wall;
    bool made = ::timer_create(CLOCK_MONOTONIC, &event, &thread_->wall_timer) == 0;
    event.sigev_value.sival_int = processor;
    if (made && ::timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &thread_->processor_timer) != 0) {
        made = false;
        ::timer_delete(thread_->wall_timer);
    }
    if (!made) {
        log_warning("stalls are not detected here", {{"reason", ::strerror(errno)}});
        return;
    }
    thread_->armed = true;
    watched = thread_.get();
    itimerspec ticks = every(interval);
    ticks.it_interval = ticks.it_value;
    ::timer_settime(thread_->processor_timer, 0, &ticks, nullptr);
    thread_->run_wall_clock();
}

void StallDetector::Watching::rest() {
    if (thread_) thread_->resting.store(true, std::memory_order_relaxed);
}

void StallDetector::Watching::go_on() {
    if (!thread_) return;
    thread_->resting.store(false, std::memory_order_relaxed);
    if (thread_->armed && !thread_->wall_clock_runs.load(std::memory_order_relaxed))
        thread_->run_wall_clock();
}

StallDetector::Watching::~Watching() {
    if (!thread_) return;
    watched = nullptr;  // a tick that is on its way finds nothing
    if (!thread_->armed) return;
    ::timer_delete(thread_->processor_timer);
    ::timer_delete(thread_->wall_timer);
}

std::vector<Pid> detail::cpu_samples() {
    std::vector<Pid> samples;
    if (!watched) return samples;
    std::size_t count = watched->sample_count.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < std::min(count, kept_samples); ++i) {
        samples.push_back(Pid::from_bits(watched->samples[i].load(std::memory_order_relaxed)));
    }
    return samples;
}

}  // namespace bennu
