#include "bennu/runtime/launcher/crash_handler.hpp"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <memory>

#include "bennu/base/log_writer.hpp"
#include "bennu/runtime/launcher/build_id.hpp"
#include "bennu/runtime/launcher/node.hpp"
#include "bennu/runtime/launcher/node_page.hpp"
#include "bennu/runtime/launcher/work.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu {

namespace {

int report_fd = STDERR_FILENO;
const char* build = "";
constexpr std::size_t stack_size = 64 * 1024;

// Only async-signal-safe calls from here on.

void put(const char* text) {
    [[maybe_unused]] ssize_t written = ::write(report_fd, text, std::strlen(text));
}

void put(std::uint64_t number, int base = 10) {
    std::array<char, 24> digits{};
    std::to_chars(digits.data(), digits.data() + digits.size() - 1, number, base);
    put(digits.data());
}

void put_process(detail::Shard& shard, detail::Process& process) {
    Pid pid = shard.running();
    put("\nprocess <");
    put(pid.shard());
    put(".");
    put(pid.slot());
    put(".");
    put(pid.generation());
    put("> ");
    put(process.type->name);
}

/// Which request or job runs: for people, and for the launcher, which may put it in quarantine.
void put_work(detail::Shard& shard) {
    const WorkLabel* label = WorkLabel::of(shard.newest_work(), shard.running());
    if (!label) return;
    put("\nworking on ");
    put(label->key().text().c_str());
    if (NodePage* page = detail::node_page()) {
        page->crashed.text.set(label->key().text());
        page->crashed.key.store(label->key().hash());
    }
}

/// Where the coroutines wait that wait for the code that crashed, innermost first.
void put_awaits(const detail::PromiseBase* outermost) {
    std::array<const detail::PromiseBase*, 64> innermost{};
    std::size_t count = 0;
    for (const auto* at = outermost; at; at = at->awaited)
        innermost[count++ % innermost.size()] = at;
    if (count == 0) return;
    put("\nawaits");
    for (std::size_t left = std::min(count, innermost.size()); left > 0; --left) {
        const std::source_location& where = innermost[--count % innermost.size()]->where;
        if (where.line() == 0) continue;
        put("\n  ");
        put(where.file_name());
        put(":");
        put(where.line());
        put(" ");
        put(where.function_name());
    }
}

/// One thread reports. Another that crashes meanwhile waits for the end that is coming; a crash of
/// this very handler is the end.
void report_alone(int signal) {
    static std::atomic<pid_t> reporter{0};
    pid_t nobody = 0;
    if (reporter.compare_exchange_strong(nobody, ::gettid())) return;
    while (nobody != ::gettid()) ::pause();
    ::signal(signal, SIG_DFL);
    ::raise(signal);
}

void on_crash(int signal, siginfo_t* info, void*) {
    report_alone(signal);
    // What the crashing code logged may still be queued; it is written while we report.
    detail::hurry_log_writer();
    put("signal ");
    put(::sigabbrev_np(signal) ? ::sigabbrev_np(signal) : "?");
    put(" (");
    put(static_cast<std::uint64_t>(signal));
    put(") at address 0x");
    put(reinterpret_cast<std::uintptr_t>(info->si_addr), 16);
    put("\nbuild ");
    put(build);
    std::array<char, 16> thread{};
    ::pthread_getname_np(::pthread_self(), thread.data(), thread.size());
    put("\nthread ");
    put(thread.data());
    if (detail::Shard* shard = detail::Shard::current()) {
        put("\nshard ");
        put(shard->index());
        if (detail::Process* process = shard->find(shard->running())) {
            put_process(*shard, *process);
            put_work(*shard);
            put_awaits(process->root);
        }
    }
    put("\nstack\n");
    std::array<void*, 64> frames{};
    int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
    ::backtrace_symbols_fd(frames.data(), count, report_fd);
    // The default action ends the process, with the status that the launcher expects to see.
    ::signal(signal, SIG_DFL);
    ::raise(signal);
}

class AlternateStack {
  public:
    AlternateStack() {
        stack_t present{};
        ::sigaltstack(nullptr, &present);
        if (!(present.ss_flags & SS_DISABLE)) return;  // a sanitizer's own
        memory_ = std::make_unique<std::byte[]>(stack_size);
        stack_t mine{};
        mine.ss_sp = memory_.get();
        mine.ss_size = stack_size;
        ::sigaltstack(&mine, nullptr);
    }
    ~AlternateStack() {
        if (!memory_) return;
        stack_t none{};
        none.ss_flags = SS_DISABLE;
        ::sigaltstack(&none, nullptr);
    }
    AlternateStack(const AlternateStack&) = delete;
    AlternateStack& operator=(const AlternateStack&) = delete;

  private:
    std::unique_ptr<std::byte[]> memory_;
};

}  // namespace

void prepare_thread_for_crashes() {
    static thread_local AlternateStack stack;
}

void install_crash_handler(int fd) {
    if (fd >= 0) report_fd = fd;
    build = build_id();
    // Loads the unwinder now: in the handler it would have to allocate.
    std::array<void*, 2> warm_up{};
    ::backtrace(warm_up.data(), static_cast<int>(warm_up.size()));
    prepare_thread_for_crashes();
    struct sigaction action{};
    action.sa_sigaction = &on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL})
        ::sigaction(signal, &action, nullptr);
}

}  // namespace bennu
