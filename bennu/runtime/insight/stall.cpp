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

int tick_signal() {
    return SIGRTMIN + 3;
}

Duration thread_cpu_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

/// What the signal handler of one thread works on. Nothing else writes it while the clock runs.
struct StallDetector::Watching::Thread {
    Reporter& reporter;
    detail::Shard& shard;
    timer_t timer{};
    bool armed = false;
    std::uint64_t seen_step = 0;
    Duration seen_at{};      ///< processor time of the first tick that saw this step
    Duration next_report{};  ///< how long it must hold for the next report
    std::array<std::atomic<std::uint64_t>, kept_samples> samples{};
    std::atomic<std::size_t> sample_count{0};

    void tick(const ucontext_t* context);
};

namespace {

constinit thread_local StallDetector::Watching::Thread* watched = nullptr;

void on_tick(int, siginfo_t*, void* context) {
    int saved = errno;
    if (watched) watched->tick(static_cast<const ucontext_t*>(context));
    errno = saved;
}

}  // namespace

void StallDetector::Watching::Thread::tick(const ucontext_t* context) {
    Pid running = shard.running();
    std::size_t at = sample_count.load(std::memory_order_relaxed);
    samples[at % kept_samples].store(running.bits(), std::memory_order_relaxed);
    sample_count.store(at + 1, std::memory_order_relaxed);
    std::uint64_t step = shard.steps();
    Duration now = thread_cpu_time();
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
    thread_ = std::unique_ptr<Thread>(new Thread{*detector.reporter_, shard});
    watched = thread_.get();
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = tick_signal();
    event._sigev_un._tid = ::gettid();
    if (::timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &thread_->timer) != 0) {
        log_warning("stalls are not detected here", {{"reason", ::strerror(errno)}});
        watched = nullptr;
        return;
    }
    thread_->armed = true;
    Duration tick = std::max(detector.reporter_->options.threshold / 4, shortest_tick);
    auto seconds = std::chrono::floor<std::chrono::seconds>(tick);
    itimerspec interval{};
    interval.it_interval = {seconds.count(), (tick - seconds).count()};
    interval.it_value = interval.it_interval;
    ::timer_settime(thread_->timer, 0, &interval, nullptr);
}

StallDetector::Watching::~Watching() {
    if (!thread_) return;
    watched = nullptr;  // a tick that is on its way finds nothing
    if (thread_->armed) ::timer_delete(thread_->timer);
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
