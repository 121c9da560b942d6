#include "bennu/runtime/process.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::process_test {

using namespace std::chrono_literals;

/// Runs a coroutine as the main process of a real runtime.
int run_on(unsigned shards, Function<Task<Result<>>()> main) {
    return run({.shards = shards, .handle_signals = false}, std::move(main));
}

struct Counter : Server {
    struct Add {
        int by;
    };
    struct Get {
        using Reply = int;
    };
    struct Slow {
        using Reply = std::string;
        std::string text;
    };
    struct Later {
        using Reply = int;
    };
    struct Crash {
        using Reply = int;
    };
    struct CrashSlowly {};
    void handle(Add m) { count += m.by; }
    int handle(Get) { return count; }
    Task<std::string> handle(Slow m) {
        co_await sleep(1ms);
        co_return m.text + "!";
    }
    void handle(Later, From<int> from) { later.push_back(std::move(from)); }
    int handle(Crash) { throw std::runtime_error("boom"); }
    Task<> handle(CrashSlowly) {
        co_await sleep(1ms);
        throw std::runtime_error("slow boom");
    }
    int count = 0;
    std::vector<From<int>> later;
};

TEST(Process, casts_and_calls_reach_a_server_in_order) {
    int seen = 0;
    int status = run_on(1, [&]() -> Task<Result<>> {
        auto counter = spawn<Counter>();
        for (int i = 1; i <= 100; ++i) cast(counter, Counter::Add{i});
        seen = co_await call(counter, Counter::Get{});
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(seen, 5050);
}

TEST(Process, nobody_gets_no_message_and_answers_no_call) {
    std::string code;
    run_on(2, [&]() -> Task<Result<>> {
        cast(Ref<Counter>(), Counter::Add{1});
        auto got = co_await spawn_on(1, [] {
            cast(Ref<Counter>(), Counter::Add{1});
            return self();
        });
        EXPECT_TRUE(got);
        code = (co_await try_call(Ref<Counter>(), Counter::Get{})).error().code();
        co_return {};
    });
    EXPECT_EQ(code, "noproc");
}

TEST(Process, a_suspended_handler_keeps_later_messages_waiting) {
    std::string text;
    int count = 0;
    run_on(1, [&]() -> Task<Result<>> {
        auto counter = spawn<Counter>();
        cast(counter, Counter::Slow{"unused"});
        cast(counter, Counter::Add{2});
        text = co_await call(counter, Counter::Slow{std::string(100, 'x')});
        count = co_await call(counter, Counter::Get{});
        co_return {};
    });
    EXPECT_EQ(text, std::string(100, 'x') + "!");
    EXPECT_EQ(count, 2);
}

TEST(Process, a_call_to_a_crashing_server_fails_and_ends_only_that_server) {
    Error error(ErrorKind::internal);
    Error slow(ErrorKind::internal);
    bool survivor_answers = false;
    run_on(1, [&]() -> Task<Result<>> {
        auto victim = spawn<Counter>();
        auto survivor = spawn<Counter>();
        monitor(victim.pid());
        error = (co_await try_call(victim, Counter::Crash{})).error();
        auto gone = co_await try_call(victim, Counter::Get{});
        EXPECT_EQ(gone.error().code(), "noproc");
        auto other = spawn<Counter>();
        cast(other, Counter::CrashSlowly{});
        slow = (co_await try_call(other, Counter::Get{})).error();
        survivor_answers = co_await call(survivor, Counter::Get{}) == 0;
        co_return {};
    });
    EXPECT_EQ(error.kind(), ErrorKind::closed);
    EXPECT_EQ(slow.kind(), ErrorKind::closed);
    EXPECT_TRUE(survivor_answers);
}

TEST(Process, a_call_times_out_and_a_late_answer_is_dropped) {
    Error error(ErrorKind::internal);
    int answered = 0;
    run_on(1, [&]() -> Task<Result<>> {
        auto counter = spawn<Counter>();
        error = (co_await try_call(counter, Counter::Later{}, {.timeout = 5ms})).error();
        local_body(counter)->later.at(0).reply(1);
        answered = co_await call(counter, Counter::Get{});
        co_return {};
    });
    EXPECT_EQ(error.kind(), ErrorKind::timeout);
    EXPECT_EQ(answered, 0);
}

TEST(Process, a_fault_of_a_call_ends_the_caller_with_its_await_chain) {
    Result<ExitReason> reason = Error(ErrorKind::internal);
    run_on(1, [&]() -> Task<Result<>> {
        auto counter = spawn<Counter>();
        Pid caller =
            spawn_task([counter]() -> Task<> { co_await call(counter, Counter::Crash{}); });
        reason = co_await exit_of(caller);
        co_return {};
    });
    ASSERT_TRUE(reason);
    EXPECT_EQ(reason->kind(), ExitReason::Kind::fault);
    ASSERT_EQ(reason->awaits().size(), 1U);
    EXPECT_NE(reason->awaits()[0].find("process_test.cpp"), std::string::npos);
}

TEST(Process, names_are_unique_and_go_with_the_process) {
    run_on(1, []() -> Task<Result<>> {
        auto first = co_await start<Counter>({.name = "counter"});
        EXPECT_TRUE(first);
        auto second = co_await start<Counter>({.name = "counter"});
        EXPECT_FALSE(second);
        EXPECT_EQ(second.error().code(), "name_taken");
        EXPECT_EQ(whereis<Counter>("counter"), *first);
        kill(first->pid());
        EXPECT_FALSE(whereis("counter"));
        co_return {};
    });
}

struct Watcher : Server {
    struct Seen {
        using Reply = std::vector<std::string>;
    };
    struct Watch {
        using Reply = bool;
        Pid pid;
    };
    bool handle(Watch m) {
        monitor(m.pid);
        return true;
    }
    void handle(Down down) { seen.emplace_back(to_string(down.reason.kind())); }
    std::vector<std::string> handle(Seen) { return seen; }
    std::vector<std::string> seen;
};

TEST(Process, a_monitor_fires_exactly_once_with_the_reason) {
    std::vector<std::string> seen;
    run_on(1, [&]() -> Task<Result<>> {
        auto watcher = spawn<Watcher>();
        auto victim = spawn<Counter>();
        co_await call(watcher, Watcher::Watch{victim.pid()});
        cast(victim, Counter::Crash{});
        (void)co_await exit_of(victim.pid());
        co_await call(watcher, Watcher::Watch{victim.pid()});
        co_await sleep(1ms);
        seen = co_await call(watcher, Watcher::Seen{});
        co_return {};
    });
    EXPECT_EQ(seen, (std::vector<std::string>{"fault", "noproc"}));
}

struct Destroyed {
    int* count;
    explicit Destroyed(int* c) : count(c) {}
    Destroyed(Destroyed&& o) noexcept : count(std::exchange(o.count, nullptr)) {}
    ~Destroyed() {
        if (count) ++*count;
    }
};

TEST(Process, kill_destroys_the_suspended_frames) {
    int destroyed = 0;
    run_on(1, [&]() -> Task<Result<>> {
        auto inner = [](Destroyed) -> Task<> { co_await sleep(1h); };
        Pid pid = spawn_task([&]() -> Task<> {
            Destroyed local(&destroyed);
            co_await inner(Destroyed(&destroyed));
        });
        co_await sleep(1ms);
        kill(pid);
        co_return {};
    });
    EXPECT_EQ(destroyed, 2);
}

TEST(Process, links_spread_failures_but_not_normal_exits) {
    bool linked_alive = true, other_alive = false;
    run_on(1, [&]() -> Task<Result<>> {
        Pid waiting, waiting_too;
        Pid parent = spawn_task([&]() -> Task<> {
            waiting = spawn_task([]() -> Task<> { co_await sleep(1h); }, {.link = true});
            co_await sleep(1ms);
            throw std::runtime_error("parent fails");
        });
        Pid calm = spawn_task([&]() -> Task<> {
            waiting_too = spawn_task([]() -> Task<> { co_await sleep(1h); }, {.link = true});
            co_await sleep(1ms);
        });
        (void)co_await exit_of(parent);
        (void)co_await exit_of(calm);
        co_await sleep(1ms);
        linked_alive = alive(waiting);
        other_alive = alive(waiting_too);
        co_return {};
    });
    EXPECT_FALSE(linked_alive);
    EXPECT_TRUE(other_alive);
}

TEST(Process, a_polite_stop_of_a_linked_child_does_not_end_its_parent_but_the_reverse_does) {
    bool child_alive = true;
    int status = run_on(1, [&]() -> Task<Result<>> {
        Pid child = spawn_task([]() -> Task<> { co_await sleep(1h); }, {.link = true});
        co_await stop_and_wait(child);
        Pid grandchild;
        Pid parent = spawn_task([&]() -> Task<> {
            grandchild = spawn_task([]() -> Task<> { co_await sleep(1h); }, {.link = true});
            co_await sleep(1h);
        });
        co_await sleep(1ms);
        co_await stop_and_wait(parent);
        child_alive = alive(grandchild);
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(child_alive);
}

TEST(Process, offloaded_work_comes_back_and_its_faults_too) {
    int result = 0;
    ExitReason reason;
    run_on(1, [&]() -> Task<Result<>> {
        result = co_await offload([] { return 42; });
        Pid crashing = spawn_task([]() -> Task<> {
            co_await offload([]() -> int { throw std::runtime_error("in a thread"); });
        });
        reason = *co_await exit_of(crashing);
        co_return {};
    });
    EXPECT_EQ(result, 42);
    EXPECT_EQ(reason.kind(), ExitReason::Kind::fault);
}

TEST(Process, require_completes_the_caller_with_the_error) {
    Result<int> outcome = 0;
    bool reached = false;
    run_on(1, [&]() -> Task<Result<>> {
        auto failing = []() -> Task<Result<int>> {
            co_await sleep(1ms);
            co_return Error(ErrorKind::not_found, "nothing");
        };
        auto middle = [&]() -> Task<Result<int>> {
            int value = co_await require(failing());
            reached = true;
            co_return value;
        };
        auto top = [&]() -> Task<Result<int>> { co_return co_await require(middle()) + 1; };
        outcome = co_await top();
        co_return {};
    });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), "nothing");
    EXPECT_FALSE(reached);
}

TEST(Process, contain_is_a_wall_for_faults) {
    std::string what;
    bool went_on = false;
    run_on(1, [&]() -> Task<Result<>> {
        auto deep = []() -> Task<int> {
            co_await sleep(1ms);
            throw std::runtime_error("contained");
        };
        auto middle = [&]() -> Task<int> { co_return co_await deep() + 1; };
        auto outcome = co_await contain(middle());
        what = outcome.fault ? outcome.fault->describe() : "none";
        went_on = true;
        co_return {};
    });
    EXPECT_EQ(what, "std::runtime_error: contained");
    EXPECT_TRUE(went_on);
}

TEST(ProcessMultiShard, calls_cross_shards_and_keep_order) {
    int total = 0;
    int status = run_on(2, [&]() -> Task<Result<>> {
        Ref<Counter> remote;
        post(1, [&remote, me = self()] {
            Ref<Counter> made = spawn<Counter>();
            post(0, [&remote, made] { remote = made; });
        });
        while (!remote) co_await sleep(1ms);
        for (int i = 0; i < 10'000; ++i) cast(remote, Counter::Add{1});
        total = co_await call(remote, Counter::Get{});
        auto text = co_await call(remote, Counter::Slow{std::string(1000, 'y')});
        EXPECT_EQ(text.size(), 1001U);
        EXPECT_FALSE(co_await try_call(remote, Counter::Crash{}));
        EXPECT_EQ((co_await try_call(remote, Counter::Get{})).error().code(), "noproc");
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(total, 10'000);
}

TEST(ProcessMultiShard, monitors_cross_shards) {
    Result<ExitReason> reason = Error(ErrorKind::internal);
    Result<ExitReason> gone = Error(ErrorKind::internal);
    run_on(2, [&]() -> Task<Result<>> {
        Pid remote;
        post(1, [&remote] {
            Pid made = spawn_task([]() -> Task<> { co_await sleep(1h); });
            post(0, [&remote, made] { remote = made; });
        });
        while (!remote) co_await sleep(1ms);
        kill(remote, "test");
        reason = co_await exit_of(remote);
        gone = co_await exit_of(remote);
        co_return {};
    });
    ASSERT_TRUE(reason);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->kind(), ExitReason::Kind::noproc);
}

struct Fragile : Server {
    struct Crash {};
    void handle(Crash) { throw std::runtime_error("fragile"); }
};

TEST(Supervisor, restarts_a_crashed_child_and_leaves_its_siblings_alone) {  // proves 1.11
    run_on(1, []() -> Task<Result<>> {
        std::vector<ChildSpec> specs;
        specs.push_back(child<Fragile>({.id = "a", .name = "a"}));
        specs.push_back(child<Fragile>({.id = "b", .name = "b"}));
        auto supervisor = co_await supervise({.strategy = one_for_one}, std::move(specs));
        EXPECT_TRUE(supervisor);
        Pid a = whereis("a"), b = whereis("b");
        cast(Ref<Fragile>(a), Fragile::Crash{});
        (void)co_await exit_of(a);
        auto children = co_await call(*supervisor, Supervisor::Children{});
        EXPECT_NE(whereis("a"), a);
        EXPECT_TRUE(whereis("a"));
        EXPECT_EQ(whereis("b"), b);
        EXPECT_EQ(children[0].restarts, 1U);
        co_await stop_and_wait(supervisor->pid());
        EXPECT_FALSE(whereis("a"));
        EXPECT_FALSE(whereis("b"));
        co_return {};
    });
}

TEST(Supervisor, gives_up_when_its_budget_is_spent) {
    ExitReason reason;
    run_on(1, [&]() -> Task<Result<>> {
        Pid owner = spawn_task([&]() -> Task<> {
            std::vector<ChildSpec> specs;
            specs.push_back(child<Fragile>({.id = "a", .name = "a"}));
            auto supervisor =
                co_await supervise({.budget = {.restarts = 2, .backoff = 1ms}}, std::move(specs));
            co_await sleep(1h);
        });
        for (int i = 0; i < 50 && alive(owner); ++i) {
            if (Pid a = whereis("a")) cast(Ref<Fragile>(a), Fragile::Crash{});
            co_await sleep(2ms);
        }
        reason = *co_await exit_of(owner, 1s);
        co_return {};
    });
    EXPECT_EQ(reason.kind(), ExitReason::Kind::noproc);
}

TEST(Supervisor, stops_the_children_before_one_that_fails_to_start) {
    Result<Ref<Supervisor>> outcome = Ref<Supervisor>();
    run_on(1, [&]() -> Task<Result<>> {
        std::vector<ChildSpec> specs;
        specs.push_back(child<Fragile>({.id = "first", .name = "first"}));
        specs.push_back({.id = "second", .start = []() -> Task<Result<Pid>> {
                             co_return Error(ErrorKind::unavailable, "no_database");
                         }});
        outcome = co_await supervise({}, std::move(specs));
        EXPECT_FALSE(whereis("first"));
        co_return {};
    });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), "no_database");
}

}  // namespace bennu::process_test
