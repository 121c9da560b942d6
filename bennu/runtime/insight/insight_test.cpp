// What can be seen of a running runtime: the snapshot, and stalls.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mutex>

#include "bennu/base/log.hpp"
#include "bennu/runtime/insight/snapshot.hpp"
#include "bennu/runtime/insight/stall.hpp"
#include "bennu/runtime/insight/symbols.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::insight_test {

using namespace std::chrono_literals;

Duration cpu_time_of(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// Uses the processor, by this thread's own clock, for as long as it says.
[[gnu::noinline]] void burn_processor_time(Duration how_long) {
    Duration end = cpu_time_of(CLOCK_THREAD_CPUTIME_ID) + how_long;
    while (cpu_time_of(CLOCK_THREAD_CPUTIME_ID) < end) {}
}
[[gnu::noinline]] void first_culprit(Duration how_long) {
    burn_processor_time(how_long);
    asm volatile("");  // keeps its frame: no tail call
}
[[gnu::noinline]] void second_culprit(Duration how_long) {
    burn_processor_time(how_long);
    asm volatile("");
}

struct Burner : Server {
    struct First {
        using Reply = bool;
        Duration how_long;
    };
    struct Second {
        using Reply = bool;
        Duration how_long;
    };
    struct Work {
        using Reply = bool;
    };
    bool handle(First m) {
        first_culprit(m.how_long);
        return true;
    }
    Task<bool> handle(Second m) {
        co_await sleep(1ms);
        second_culprit(m.how_long);
        co_return true;
    }
    bool handle(Work) {
        burn_processor_time(500us);
        return true;
    }
};

struct Reports {
    std::mutex mutex;
    std::vector<std::string> stacks;
    Subscription subscription = subscribe_events("runtime.stall", [this](const EventView& event) {
        std::lock_guard lock(mutex);
        for (const Attribute& attribute : event.metadata) {
            if (attribute.key == "stack") stacks.push_back(to_string(attribute.value));
        }
    });
    std::size_t naming(std::string_view function) {
        std::lock_guard lock(mutex);
        return static_cast<std::size_t>(std::count_if(
            stacks.begin(), stacks.end(),
            [&](const std::string& stack) { return stack.find(function) != std::string::npos; }));
    }
};

bool stalls_can_be_seen() {
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
    return false;  // it holds signals back until the next system call
#else
    return true;
#endif
}

int run_watched(StallOptions stalls, Function<Task<Result<>>()> main) {
    return run({.shards = 2, .handle_signals = false, .stalls = stalls}, std::move(main));
}

TEST(Stalls, every_injected_stall_is_reported_with_its_function) {
    if (!stalls_can_be_seen()) GTEST_SKIP() << "ThreadSanitizer delays signals";
    LogCapture log;
    Reports reports;
    run_watched({.reports_per_minute = 100}, []() -> Task<Result<>> {
        auto burner = spawn<Burner>();
        for (int i = 0; i < 5; ++i) {
            co_await call(burner, Burner::First{40ms});
            co_await call(burner, Burner::Second{40ms});
        }
        co_return {};
    });
    EXPECT_EQ(reports.naming("first_culprit"), 5U);
    EXPECT_EQ(reports.naming("second_culprit"), 5U);
    EXPECT_EQ(reports.naming("Burner"), 10U) << "the handler, or what it was inlined into";
    EXPECT_EQ(reports.stacks.size(), 10U);
    EXPECT_TRUE(log.contains("a handler holds its shard"));
    EXPECT_TRUE(log.contains("burn_processor_time"));
}

TEST(Stalls, a_busy_shard_of_short_handlers_is_no_stall) {
    LogCapture log;
    Reports reports;
    run_watched({.reports_per_minute = 100}, []() -> Task<Result<>> {
        auto burner = spawn<Burner>();
        for (int i = 0; i < 600; ++i) co_await call(burner, Burner::Work{});
        burner = spawn<Burner>();
        for (int i = 0; i < 40; ++i) co_await call(burner, Burner::First{6ms});
        co_return {};
    });
    EXPECT_EQ(reports.stacks.size(), 0U);
}

TEST(Stalls, a_stall_without_end_is_reported_while_it_lasts_and_ever_more_rarely) {
    if (!stalls_can_be_seen()) GTEST_SKIP() << "ThreadSanitizer delays signals";
    LogCapture log;
    Reports reports;
    run_watched({}, [&]() -> Task<Result<>> {
        auto burner = spawn<Burner>();
        co_await call(burner, Burner::First{300ms});
        co_return {};
    });
    EXPECT_EQ(reports.stacks.size(), 2U) << "at 10 ms and at 100 ms";
}

TEST(Stalls, reports_are_limited_and_the_rest_is_counted) {
    if (!stalls_can_be_seen()) GTEST_SKIP() << "ThreadSanitizer delays signals";
    LogCapture log;
    Reports reports;
    run_watched({.threshold = 4ms, .reports_per_minute = 3}, []() -> Task<Result<>> {
        auto burner = spawn<Burner>();
        for (int i = 0; i < 10; ++i) co_await call(burner, Burner::First{25ms});
        co_return {};
    });
    EXPECT_EQ(reports.stacks.size(), 3U);
}

/// A runtime in a process of its own that stops itself (as a suspended machine would) inside a
/// handler; its exit status is the number of stalls it reported.
int stalls_of_a_suspended_program() {
    Reports reports;
    run_watched({}, []() -> Task<Result<>> {
        Pid pid = spawn_task([]() -> Task<> {
            burn_processor_time(3ms);
            ::raise(SIGSTOP);
            burn_processor_time(3ms);
            co_return;
        });
        (void)co_await exit_of(pid);
        co_return {};
    });
    return static_cast<int>(reports.stacks.size());
}

TEST(Stalls, a_suspended_machine_is_no_stall) {
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(stalls_of_a_suspended_program());
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status));
    burn_processor_time(50ms);  // meanwhile the world goes on
    ::kill(child, SIGCONT);
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Symbols, name_functions_that_are_not_exported) {
    auto address = reinterpret_cast<std::uintptr_t>(&first_culprit);
    SymbolName symbol = symbol_at(address + 1);
    EXPECT_NE(symbol.name.find("first_culprit"), std::string::npos) << symbol.name;
    EXPECT_TRUE(symbol.of_program);
    EXPECT_FALSE(symbol.of_library_code());
    EXPECT_FALSE(symbol_at(8).name.empty());
}

struct Busy : Server {
    struct Tick {};
    struct Done {
        using Reply = bool;
    };
    struct Wait {};
    void handle(Tick) {}
    bool handle(Done) { return true; }
    Task<> handle(Wait) { co_await sleep(1h); }
    std::array<char, 1000> ballast{};
};

BENNU_SIM_TEST(Snapshot, names_the_busiest_and_the_longest_mailboxes_of_every_shard, options) {
    SimOutcome outcome = simulate(options, []() -> Task<Result<>> {
        Ref<Busy> remote, local = spawn_with<Busy>({.name = "local"}), stuck;
        remote = Ref<Busy>(co_await require(
            co_await spawn_on(1, [] { return spawn_with<Busy>({.name = "remote"}).pid(); })));
        stuck = spawn_with<Busy>({.name = "stuck"});
        std::vector<Pid> idle;
        for (int i = 0; i < 20'000; ++i) idle.push_back(spawn<Busy>().pid());
        for (int i = 0; i < 300; ++i) cast(local, Busy::Tick{});
        for (int i = 0; i < 500; ++i) cast(remote, Busy::Tick{});
        co_await call(local, Busy::Done{});
        co_await call(remote, Busy::Done{});
        cast(stuck, Busy::Wait{});
        for (int i = 0; i < 50; ++i) cast(stuck, Busy::Tick{});
        co_await sleep(1ms);
        RuntimeSnapshot seen = co_await bennu::runtime::snapshot({.top = 3});
        EXPECT_EQ(seen.shards.size(), 2U);
        EXPECT_EQ(seen.shards[0].processes, 20'003U) << "and main";
        EXPECT_EQ(seen.shards[1].processes, 1U);
        EXPECT_EQ(seen.shards[0].messages, 50U);
        EXPECT_EQ(seen.busiest.size(), 3U);
        EXPECT_EQ(seen.busiest[0].name, "remote");
        EXPECT_EQ(seen.busiest[0].runs, 501U);
        EXPECT_EQ(seen.busiest[1].name, "local");
        EXPECT_EQ(seen.longest_mailboxes.size(), 1U);
        EXPECT_EQ(seen.longest_mailboxes.at(0).name, "stuck");
        EXPECT_EQ(seen.longest_mailboxes.at(0).mailbox, 50U);
        EXPECT_EQ(seen.longest_mailboxes.at(0).state, ProcessState::waiting);
        EXPECT_EQ(seen.types.at(0).processes, 20'003U);
        EXPECT_GT(seen.types.at(0).bytes, 20'003U * 1000);
        EXPECT_EQ(seen.memory.at(0).kind, "bodies");
        EXPECT_GT(seen.resident, 20'000'000U);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

TEST(Snapshot, tells_who_was_on_the_processor) {
    if (!stalls_can_be_seen()) GTEST_SKIP() << "ThreadSanitizer delays signals";
    LogCapture log;
    double share = 0;
    run_watched({}, [&]() -> Task<Result<>> {
        auto burner = spawn<Burner>();
        for (int i = 0; i < 200; ++i) co_await call(burner, Burner::Work{});
        RuntimeSnapshot seen = co_await bennu::runtime::snapshot();
        for (const CpuShare& cpu : seen.cpu) {
            if (cpu.pid == burner.pid()) share = cpu.share;
        }
        co_return {};
    });
    EXPECT_GT(share, 0.5);
}

}  // namespace bennu::insight_test
