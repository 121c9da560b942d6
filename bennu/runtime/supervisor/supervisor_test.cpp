// The rules of supervision, each in simulated time under many seeds.
#include "bennu/runtime/supervisor.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor/noted_child.hpp"

namespace bennu::supervisor_rules_test {

using namespace std::chrono_literals;
using namespace supervisor_testing;

void run_rules(SimOptions options, Function<Task<Result<>>()> main) {
    SimOutcome outcome = simulate(std::move(options), std::move(main));
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
}

BENNU_SIM_TEST(SupervisorRules, one_for_one_restarts_the_crashed_child_only, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(
            supervise({}, specs(noted(notes, "a"), noted(notes, "b"), noted(notes, "c"))));
        EXPECT_EQ(notes.take(), "+a +b +c");
        Pid a = whereis("a"), b = whereis("b"), c = whereis("c");
        co_await crash("b", tree);
        EXPECT_EQ(notes.take(), "+b");
        EXPECT_EQ(whereis("a"), a);
        EXPECT_NE(whereis("b"), b);
        EXPECT_EQ(whereis("c"), c);
        co_await stop_and_wait(tree.pid());
        EXPECT_EQ(notes.take(), "-c -b -a");
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, what_main_leaves_running_is_stopped_in_reverse, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        const Habits slow{.terminate = 500ms};
        co_await require(supervise({}, specs(noted(notes, "a"), noted(notes, "b", {}, slow))));
        co_await require(supervise(
            {}, specs(noted(notes, "c", {.place = place::shard(1)}, slow), noted(notes, "d"))));
        EXPECT_EQ(notes.take(), "+a +b +c +d");
        co_return {};
    });
    EXPECT_EQ(notes.take(), "-d -c -b -a");
}

BENNU_SIM_TEST(SupervisorRules, what_main_leaves_running_has_its_time_to_stop, options) {
    Notes notes;
    SimOutcome outcome = simulate(options, [&]() -> Task<Result<>> {
        const Habits endless{.terminate = 100h};
        co_await require(supervise({}, specs(noted(notes, "a"), noted(notes, "b", {}, endless))));
        EXPECT_EQ(notes.take(), "+a +b");
        co_return Error(ErrorKind::invalid, "told_to");
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_LT(outcome.virtual_time, 1min);
    EXPECT_EQ(notes.take(), "-a");
}

BENNU_SIM_TEST(SupervisorRules, one_for_all_stops_the_others_in_reverse_and_starts_all, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(
            supervise({.strategy = one_for_all},
                      specs(noted(notes, "a"), noted(notes, "b"), noted(notes, "c"),
                            noted(notes, "t", {.restart = Restart::temporary}))));
        EXPECT_EQ(notes.take(), "+a +b +c +t");
        co_await crash("b", tree);
        EXPECT_EQ(notes.take(), "-t -c -a +a +b +c");
        EXPECT_EQ((co_await count_children(tree))->specs, 3U);
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, rest_for_one_restarts_those_that_started_later, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(
            supervise({.strategy = rest_for_one},
                      specs(noted(notes, "a"), noted(notes, "b"), noted(notes, "c"))));
        notes.take();
        Pid a = whereis("a");
        co_await crash("b", tree);
        EXPECT_EQ(notes.take(), "-c +b +c");
        EXPECT_EQ(whereis("a"), a);
        co_await crash("c", tree);
        EXPECT_EQ(notes.take(), "+c");
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, restart_kinds_decide_who_comes_back, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(
            supervise({.budget = {.restarts = 100}},
                      specs(noted(notes, "p"), noted(notes, "r", {.restart = Restart::transient}),
                            noted(notes, "t", {.restart = Restart::temporary}))));
        notes.take();
        co_await crash("t", tree);
        EXPECT_FALSE(whereis("t"));
        co_await crash("r", tree);
        EXPECT_TRUE(whereis("r"));
        for (std::string name : {"p", "r"}) {
            Pid pid = whereis(name);
            cast(Ref<Noted>(pid), Noted::Finish{});
            (void)co_await exit_of(pid);
        }
        co_await sleep(1s);
        EXPECT_TRUE(whereis("p"));
        EXPECT_FALSE(whereis("r"));
        auto children = *co_await which_children(tree);
        EXPECT_EQ(children.size(), 2U);
        EXPECT_EQ(children.at(1).state, ChildState::finished);
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, a_spent_budget_stops_all_in_order_and_the_parent_decides, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        std::vector<ChildSpec> top;
        top.push_back(child_supervisor(
            "inner", {.budget = {.restarts = 3, .within = 5s, .backoff = 1ms}, .name = "inner"},
            [&notes] { return specs(noted(notes, "a"), noted(notes, "b"), noted(notes, "c")); }));
        top.push_back(noted(notes, "z"));
        auto tree = co_await require(supervise({}, std::move(top)));
        Pid inner = whereis("inner"), z = whereis("z");
        EXPECT_EQ(notes.take(), "+a +b +c +z");
        for (int i = 0; i < 3; ++i) {
            while (!whereis("b")) co_await sleep(1ms);
            co_await crash("b", Ref<Supervisor>(inner));
            co_await sleep(20ms);
            EXPECT_EQ(notes.take(), "+b") << i;
        }
        EXPECT_EQ(whereis("inner"), inner) << "the third restart is within the budget";
        co_await crash("b", Ref<Supervisor>(inner));
        co_await sleep(20ms);
        EXPECT_EQ(notes.take(), "-c -a +a +b +c") << "the fourth is one too many";
        EXPECT_NE(whereis("inner"), inner);
        EXPECT_EQ(whereis("z"), z);
        auto children = *co_await which_children(tree);
        EXPECT_EQ(children.at(0).restarts, 1U);
        EXPECT_NE(children.at(0).last_exit.find("budget is spent"), std::string::npos);
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, a_budget_refills_with_time, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(
            supervise({.budget = {.restarts = 1, .within = 5s}}, specs(noted(notes, "a"))));
        for (int i = 0; i < 20; ++i) {
            co_await crash("a", tree);
            co_await sleep(6s);
            EXPECT_TRUE(whereis("a"));
        }
        EXPECT_TRUE(alive(tree.pid()));
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, a_child_with_its_own_budget_may_give_up_alone, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        RestartBudget own{.restarts = 5, .within = 1min, .backoff = 1ms};
        auto tree = co_await require(supervise(
            {.budget = {.restarts = 0}},
            specs(noted(notes, "a"),
                  noted(notes, "flaps", {.budget = own, .when_spent = WhenSpent::leave_down}))));
        Pid a = whereis("a");
        for (int i = 0; i < 6; ++i) {
            while (!whereis("flaps")) co_await sleep(1ms);
            co_await crash("flaps", tree);
        }
        co_await sleep(1min);
        EXPECT_FALSE(whereis("flaps"));
        EXPECT_EQ(whereis("a"), a);
        EXPECT_EQ((*co_await which_children(tree)).at(1).state, ChildState::gave_up);
        EXPECT_TRUE(co_await restart_child(tree, "flaps"));
        co_await crash("flaps", tree);
        EXPECT_TRUE(whereis("flaps")) << "its budget is fresh again";
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, restarts_back_off_with_jitter, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        RestartBudget budget{.restarts = 9, .within = 1h, .backoff = 100ms, .max_backoff = 2s};
        std::vector<ChildSpec> top;
        top.push_back(child_supervisor(
            {.id = "inner", .restart = Restart::temporary}, {.budget = budget},
            [&notes] { return specs(noted(notes, "a", {}, {.crash_on_start = true})); }));
        auto tree = co_await require(supervise({}, std::move(top)));
        co_await sleep(1min);
        EXPECT_EQ((co_await count_children(tree))->specs, 0U);
        EXPECT_EQ(notes.starts.size(), 10U) << "the first start and nine restarts";
        if (notes.starts.size() != 10) co_return {};
        EXPECT_LT(notes.starts[1] - notes.starts[0], 3ms) << "the first restart is immediate";
        Duration delay = 100ms;
        bool random_part = false;
        for (std::size_t i = 2; i < notes.starts.size(); ++i) {
            Duration waited = notes.starts[i] - notes.starts[i - 1];
            EXPECT_GE(waited, delay / 2) << i;
            EXPECT_LE(waited, delay + 3ms) << i;
            random_part |= waited < delay - delay / 20;
            delay = std::min<Duration>(delay * 2, 2s);
        }
        EXPECT_TRUE(random_part);
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, a_child_that_fails_to_start_again_is_retried, options) {
    Notes notes;
    int failures = 0;
    run_rules(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(
            supervise({.strategy = rest_for_one, .budget = {.restarts = 10}},
                      specs(noted(notes, "a"), noted(notes, "b", {}, {.failures = &failures}),
                            noted(notes, "c"))));
        notes.take();
        failures = 3;
        co_await crash("a", tree);
        co_await sleep(1s);
        EXPECT_EQ(notes.take(), "-c -b +a !b !b !b +b +c");
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, shutdown_waits_kills_or_does_not_ask, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(supervise(
            {}, specs(noted(notes, "patient", {.shutdown = no_time_limit}, {.terminate = 30min}),
                      noted(notes, "brutal", {.shutdown = brutal_kill}, {.terminate = 1s}),
                      noted(notes, "slow", {.shutdown = 100ms}, {.terminate = 1s}))));
        notes.take();
        Instant began = now();
        co_await stop_and_wait(tree.pid(), no_time_limit);
        EXPECT_EQ(notes.take(), "-patient");
        EXPECT_GE(now() - began, 30min + 100ms);
        EXPECT_LT(now() - began, 30min + 200ms);
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, independent_children_start_and_stop_side_by_side, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        Habits slow{.init = 1s, .terminate = 1s};
        Instant began = now();
        auto tree = co_await require(
            supervise({.strategy = rest_for_one, .order = StartOrder::parallel},
                      specs(noted(notes, "web", {.after = {"repo", "cache"}}, slow),
                            noted(notes, "repo", {}, slow), noted(notes, "cache", {}, slow),
                            noted(notes, "mail", {}, {.init = 1500ms, .terminate = 500ms}))));
        EXPECT_LT(now() - began, 2100ms) << "two steps, not four";
        EXPECT_EQ(notes.lines.back(), "+web");
        notes.take();
        Pid mail = whereis("mail"), cache = whereis("cache");
        began = now();
        co_await crash("repo", tree);
        EXPECT_LT(now() - began, 3100ms);
        EXPECT_EQ(notes.take(), "-web +repo +web") << "those that depend on it";
        EXPECT_EQ(whereis("mail"), mail);
        EXPECT_EQ(whereis("cache"), cache);
        began = now();
        co_await stop_and_wait(tree.pid());
        EXPECT_LT(now() - began, 2100ms);
        EXPECT_EQ(notes.lines.at(0), "-mail");
        EXPECT_EQ(notes.lines.at(1), "-web");
        EXPECT_EQ(notes.lines.size(), 4U);
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, a_failing_start_stops_what_is_up, options) {
    Notes notes;
    int failures = 1;
    run_rules(options, [&]() -> Task<Result<>> {
        for (StartOrder order : {StartOrder::in_order, StartOrder::parallel}) {
            failures = 1;
            auto outcome = co_await supervise(
                {.order = order}, specs(noted(notes, "a"),
                                        noted(notes, "b", {}, {.init = 5ms, .failures = &failures}),
                                        noted(notes, "c", {.after = {"b"}})));
            EXPECT_FALSE(outcome);
            if (!outcome) EXPECT_EQ(outcome.error().code(), "not_yet");
            EXPECT_EQ(notes.take(), "+a !b -a");
            EXPECT_FALSE(whereis("a"));
        }
        auto thrown = co_await supervise(
            {}, specs(ChildSpec{.id = "throws", .start = []() -> Task<Result<Pid>> {
                                    throw std::runtime_error("in start");
                                    co_return Pid();
                                }}));
        EXPECT_FALSE(thrown);
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, significant_children_take_their_supervisor_with_them, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        ChildOptions significant{.restart = Restart::transient, .significant = true};
        for (AutoShutdown when :
             {AutoShutdown::never, AutoShutdown::any_significant, AutoShutdown::all_significant}) {
            auto tree = co_await require(
                supervise({.auto_shutdown = when},
                          specs(noted(notes, "a", significant), noted(notes, "b", significant),
                                noted(notes, "other"))));
            co_await crash("a", tree);
            EXPECT_TRUE(alive(tree.pid())) << "a crash is no end of a transient child";
            for (std::string name : {"a", "b"}) {
                cast(whereis<Noted>(name), Noted::Finish{});
                co_await sleep(10ms);
                bool ended = when == AutoShutdown::any_significant ||
                             (when == AutoShutdown::all_significant && name == "b");
                EXPECT_EQ(alive(tree.pid()), !ended) << name;
                if (ended) EXPECT_FALSE(whereis("other"));
                if (ended) break;
            }
            if (alive(tree.pid())) co_await stop_and_wait(tree.pid());
        }
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisorRules, children_are_added_stopped_restarted_and_deleted, options) {
    Notes notes;
    run_rules(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(supervise({}, specs(noted(notes, "a"))));
        EXPECT_TRUE(co_await start_child(tree, noted(notes, "b")));
        EXPECT_EQ((co_await start_child(tree, noted(notes, "b"))).error().code(),
                  "already_started");
        EXPECT_EQ((co_await delete_child(tree, "b")).error().code(), "running");
        EXPECT_TRUE(co_await terminate_child(tree, "b"));
        EXPECT_EQ(notes.take(), "+a +b -b");
        EXPECT_EQ((co_await count_children(tree))->active, 1U);
        EXPECT_EQ((co_await start_child(tree, noted(notes, "b"))).error().code(),
                  "already_present");
        EXPECT_EQ((co_await restart_child(tree, "a")).error().code(), "running");
        EXPECT_TRUE(co_await restart_child(tree, "b"));
        EXPECT_TRUE(co_await terminate_child(tree, "b"));
        EXPECT_TRUE(co_await delete_child(tree, "b"));
        EXPECT_EQ((co_await terminate_child(tree, "b")).error().code(), "no_child");
        EXPECT_EQ((co_await count_children(tree))->specs, 1U);
        co_return {};
    });
}

TEST(SupervisorRules, specs_that_cannot_work_are_refused) {
    Notes notes;
    run_rules({}, [&]() -> Task<Result<>> {
        auto refused = [&](std::string what, StartOrder order,
                           std::vector<ChildSpec> list) -> Task<> {
            auto outcome = co_await supervise({.order = order}, std::move(list));
            EXPECT_FALSE(outcome) << what;
            if (outcome) co_return;
            EXPECT_NE(outcome.error().describe().find(what), std::string::npos)
                << outcome.error().describe();
        };
        co_await refused("listed twice", StartOrder::in_order,
                         specs(noted(notes, "a"), noted(notes, "a")));
        co_await refused("not there", StartOrder::parallel,
                         specs(noted(notes, "a", {.after = {"x"}})));
        co_await refused(
            "waits for itself", StartOrder::parallel,
            specs(noted(notes, "a", {.after = {"b"}}), noted(notes, "b", {.after = {"a"}})));
        co_await refused("listed before", StartOrder::in_order,
                         specs(noted(notes, "a", {.after = {"b"}}), noted(notes, "b")));
        co_await refused("cannot be significant", StartOrder::in_order,
                         specs(noted(notes, "a", {.significant = true})));
        EXPECT_EQ(notes.take(), "");
        co_return {};
    });
}

}  // namespace bennu::supervisor_rules_test
