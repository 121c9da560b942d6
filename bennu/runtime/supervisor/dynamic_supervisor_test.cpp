// Dynamic and partitioned supervisors, and the tree that shows them.
#include "bennu/runtime/supervisor/dynamic_supervisor.hpp"

#include <gtest/gtest.h>

#include <set>

#include "bennu/base/log.hpp"
#include "bennu/runtime/insight/snapshot.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor/noted_child.hpp"

namespace bennu::dynamic_supervisor_test {

using namespace std::chrono_literals;
using namespace supervisor_testing;

void run_dynamic(SimOptions options, Function<Task<Result<>>()> main) {
    LogCapture quiet;
    SimOutcome outcome = simulate(std::move(options), std::move(main));
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
}

ChildSpec unnamed(Notes& notes, ChildOptions options, Habits habits = {}) {
    return child<Noted>(std::move(options), &notes, std::string("x"), habits);
}

struct Plain : Server {
    struct Crash {};
    void handle(Crash) { throw std::runtime_error("plain crash"); }
};

BENNU_SIM_TEST(DynamicSupervisor, slow_starts_and_stops_go_side_by_side, options) {
    Notes notes;
    run_dynamic(options, [&]() -> Task<Result<>> {
        auto sessions = co_await require(
            start<DynamicSupervisor>({.link = true}, DynamicSupervisorOptions{.max_children = 50}));
        Instant began = now();
        std::vector<Pid> callers;
        int refused = 0;
        for (int i = 0; i < 60; ++i) {
            callers.push_back(spawn_task([&, sessions]() -> Task<> {
                auto started = co_await start_child(
                    sessions,
                    unnamed(notes, {.restart = Restart::temporary}, {.init = 1s, .terminate = 2s}));
                if (!started) {
                    EXPECT_EQ(started.error().code(), "max_children");
                    ++refused;
                }
            }));
        }
        for (Pid caller : callers) (void)co_await exit_of(caller);
        EXPECT_LT(now() - began, 1100ms);
        EXPECT_EQ(refused, 10);
        EXPECT_EQ(co_await call(sessions, DynamicSupervisor::Count{}), 50U);
        Pid one = (*co_await which_children(sessions)).at(0).pid;
        EXPECT_TRUE(co_await terminate_child(sessions, one));
        EXPECT_FALSE(alive(one));
        EXPECT_EQ((co_await terminate_child(sessions, one)).error().code(), "no_child");
        EXPECT_TRUE(co_await start_child(sessions, unnamed(notes, {}))) << "there is room again";
        began = now();
        notes.take();
        co_await stop_and_wait(sessions.pid());
        EXPECT_LT(now() - began, 2100ms);
        EXPECT_EQ(notes.lines.size(), 50U);
        co_return {};
    });
}

BENNU_SIM_TEST(DynamicSupervisor, restarts_as_the_spec_says_and_gives_up_as_a_whole, options) {
    Notes notes;
    run_dynamic(options, [&]() -> Task<Result<>> {
        std::vector<ChildSpec> top;
        top.push_back(child<DynamicSupervisor>(
            {.id = "sessions", .name = "sessions"},
            DynamicSupervisorOptions{.budget = {.restarts = 2, .backoff = 1ms}}));
        co_await require(supervise({}, std::move(top)));
        auto sessions = whereis<DynamicSupervisor>("sessions");
        (void)co_await start_child(sessions, noted(notes, "once", {.restart = Restart::temporary}));
        Pid other = *co_await start_child(sessions, noted(notes, "other"));
        (void)co_await start_child(sessions, noted(notes, "often"));
        auto crash_it = [](std::string name) -> Task<> {
            while (!whereis(name)) co_await sleep(1ms);
            Pid pid = whereis(name);
            cast(Ref<Noted>(pid), Noted::Crash{});
            (void)co_await exit_of(pid);
            co_await sleep(30ms);
        };
        (void)co_await start_child(sessions, noted(notes, "far", {.place = place::shard(1)}));
        Pid far = whereis("far");
        kill(far);
        (void)co_await exit_of(far);
        co_await sleep(30ms);
        EXPECT_TRUE(whereis("far")) << "children of other shards too";
        EXPECT_TRUE(co_await terminate_child(sessions, whereis("far")));
        co_await sleep(6s);  // the budget is fresh again
        co_await crash_it("once");
        EXPECT_FALSE(whereis("once"));
        co_await crash_it("often");
        co_await crash_it("often");
        EXPECT_TRUE(whereis("often"));
        EXPECT_EQ(whereis("other"), other);
        EXPECT_EQ((co_await count_children(sessions))->active, 2U);
        co_await crash_it("often");
        EXPECT_FALSE(whereis("other")) << "the third restart was one too many";
        EXPECT_NE(whereis<DynamicSupervisor>("sessions"), sessions);
        co_return {};
    });
}

BENNU_SIM_TEST(DynamicSupervisor, neither_survives_the_other_side, options) {
    Notes notes;
    run_dynamic(options, [&]() -> Task<Result<>> {
        Ref<DynamicSupervisor> sessions;
        Pid adopted = spawn_task([]() -> Task<> { co_await sleep(1h); });
        Pid owner = spawn_task([&]() -> Task<> {
            sessions = *co_await start<DynamicSupervisor>({.link = true});
            cast(sessions, DynamicSupervisor::Adopt{adopted});
            for (std::uint8_t shard : {std::uint8_t{0}, std::uint8_t{1}})
                (void)co_await start_child(sessions,
                                           unnamed(notes, {.place = place::shard(shard)}));
            co_await sleep(10ms);
            throw std::runtime_error("the owner crashes");
        });
        (void)co_await exit_of(owner);
        (void)co_await exit_of(sessions.pid());
        co_await sleep(10ms);
        EXPECT_EQ(notes.take(), "+x +x -x -x");
        EXPECT_FALSE(alive(adopted));

        // Killed, it cannot stop anybody: the links do.
        auto killed = *co_await start<DynamicSupervisor>({});
        Pid remote = *co_await start_child(killed, unnamed(notes, {.place = place::shard(1)}));
        Pid local = *co_await start_child(killed, unnamed(notes, {}));
        kill(killed.pid());
        EXPECT_TRUE(co_await exit_of(remote, 1s));
        EXPECT_TRUE(co_await exit_of(local, 1s));
        co_return {};
    });
}

BENNU_SIM_TEST(DynamicSupervisor, a_start_that_fails_again_is_retried_with_back_off, options) {
    Notes notes;
    int failures = 0;
    run_dynamic(options, [&]() -> Task<Result<>> {
        auto sessions = co_await require(
            start<DynamicSupervisor>({}, DynamicSupervisorOptions{.budget = {.restarts = 10}}));
        Pid pid = *co_await start_child(sessions, noted(notes, "a", {}, {.failures = &failures}));
        failures = 3;
        cast(Ref<Noted>(pid), Noted::Crash{});
        co_await sleep(1s);
        EXPECT_EQ(notes.take(), "+a !a !a !a +a");
        EXPECT_EQ((co_await count_children(sessions))->active, 1U);
        co_return {};
    });
}

BENNU_SIM_TEST(Partitions, copies_are_spread_routed_to_and_replaced, options) {
    Notes notes;
    run_dynamic(options, [&]() -> Task<Result<>> {
        Partitions<Noted> parts(6);
        std::vector<ChildSpec> top;
        top.push_back(
            child_partitions(parts, {.id = "parts", .name = "parts"}, &notes, std::string("p")));
        auto tree = co_await require(supervise({}, std::move(top)));
        std::set<Pid> used;
        for (int key = 0; key < 200; ++key) {
            Pid pid = parts.by(key).pid();
            EXPECT_EQ(pid, parts.by(key).pid());
            used.insert(pid);
        }
        EXPECT_EQ(used.size(), 6U);
        EXPECT_EQ(parts.by("alice"), parts.by(std::string("alice")));
        EXPECT_EQ(parts.at(3).pid().shard(), 1U);
        EXPECT_EQ(parts.here().pid().shard(), shard_index());
        EXPECT_EQ(whereis("parts/3"), parts.at(3).pid());

        Pid crashed = parts.at(3).pid(), sibling = parts.at(1).pid();
        cast(parts.at(3), Noted::Crash{});
        (void)co_await exit_of(crashed);
        while (parts.at(3).pid() == crashed) co_await sleep(1ms);
        EXPECT_EQ(co_await call(parts.at(3), Noted::Ping{}), parts.at(3).pid());
        EXPECT_EQ(parts.at(3).pid().shard(), 1U);
        EXPECT_EQ(parts.at(1).pid(), sibling);
        notes.take();
        co_await stop_and_wait(tree.pid());
        EXPECT_EQ(notes.lines.size(), 6U);
        co_return {};
    });
}

BENNU_SIM_TEST(Partitions, copies_end_with_a_supervisor_that_is_killed, options) {
    Notes notes;
    run_dynamic(options, [&]() -> Task<Result<>> {
        Partitions<Noted> parts(2);
        Partitions<DynamicSupervisor> pools(2);
        std::vector<ChildSpec> top;
        top.push_back(child_partitions(parts, {.id = "parts"}, &notes, std::string("p")));
        top.push_back(child_partitions(pools, {.id = "pools"}));
        co_await require(supervise({}, std::move(top)));
        Pid session = *co_await start_child(pools.at(1), unnamed(notes, {}));
        EXPECT_EQ(session.shard(), 1U) << "children live where their supervisor does";
        Pid copy = parts.at(1).pid(), pool = pools.at(1).pid();
        auto roots = co_await supervision_tree();
        for (const TreeNode& node : roots.at(0).children) kill(node.pid);
        for (Pid pid : {copy, pool, session}) EXPECT_TRUE(co_await exit_of(pid, 1s));
        co_await sleep(1s);
        EXPECT_NE(parts.at(1).pid(), copy) << "and are back with a new one";
        EXPECT_TRUE(co_await count_children(pools.at(1)));
        co_return {};
    });
}

BENNU_SIM_TEST(SupervisionTree, shows_states_restarts_and_mailboxes_even_of_a_stuck_tree, options) {
    Notes notes;
    run_dynamic(options, [&]() -> Task<Result<>> {
        Partitions<Noted> parts(2);
        std::vector<ChildSpec> top;
        top.push_back(noted(notes, "a"));
        top.push_back(child_partitions(parts, {.id = "parts"}, &notes, std::string("p")));
        top.push_back(child<DynamicSupervisor>({.id = "sessions", .name = "sessions"}));
        top.push_back(noted(notes, "down", {.restart = Restart::transient}));
        auto tree = co_await require(supervise({.name = "app"}, std::move(top)));
        (void)co_await start_child(whereis<DynamicSupervisor>("sessions"),
                                   noted(notes, "session", {.place = place::shard(1)}));
        co_await crash("a", tree);
        co_await crash("a", tree);
        cast(whereis<Noted>("down"), Noted::Finish{});
        co_await sleep(1s);
        cast(whereis<Noted>("a"), Noted::Rest{});
        for (int i = 0; i < 3; ++i) cast(whereis<Noted>("a"), Noted::Finish{});
        co_await sleep(1ms);

        auto check = [&](const std::vector<TreeNode>& roots, ChildState last) {
            EXPECT_EQ(roots.size(), 1U);
            if (roots.size() != 1) return;
            const TreeNode& root = roots[0];
            EXPECT_EQ(root.id, "app");
            EXPECT_EQ(root.strategy, "one_for_one");
            EXPECT_GE(root.children.size(), 4U);
            EXPECT_EQ(root.children[0].restarts, 2U);
            EXPECT_EQ(root.children[0].name, "a");
            EXPECT_EQ(root.children[0].mailbox, 3U);
            EXPECT_GE(root.children[0].up, 1ms);
            EXPECT_NE(root.children[0].last_exit.find("a crashes"), std::string::npos);
            EXPECT_EQ(root.children[1].children.size(), 2U);
            EXPECT_EQ(root.children[1].children.at(1).pid.shard(), 1U);
            EXPECT_NE(root.children[1].children.at(1).type.find("Noted"), std::string::npos);
            EXPECT_EQ(root.children[2].strategy, "dynamic");
            EXPECT_EQ(root.children[2].children.at(0).id, "session");
            EXPECT_EQ(root.children.back().state, last);
        };
        auto roots = co_await supervision_tree();
        EXPECT_EQ(roots.at(0).children.at(0).state, ChildState::running);
        check(roots, ChildState::finished);

        // A child whose start never ends holds its supervisor; the tree is listed all the same.
        Pid stuck = spawn_task([&, tree]() -> Task<> {
            (void)co_await start_child(tree, noted(notes, "stuck", {}, {.init = 24h}));
        });
        co_await sleep(1s);
        check(co_await supervision_tree(), ChildState::starting);

        auto history = co_await restart_history();
        EXPECT_EQ(history.size(), 2U);
        EXPECT_EQ(history.at(0).child, "a");
        EXPECT_EQ(history.at(0).supervisor, tree.pid());
        kill(stuck);
        kill(tree.pid());
        co_return {};
    });
}

TEST(SupervisorMultiShard, children_of_other_shards_are_restarted_there_and_end_with_their_tree) {
    LogCapture quiet;
    Notes notes;  // of shard 0 only
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        Partitions<Plain> parts(4);
        std::vector<ChildSpec> top;
        top.push_back(child_partitions(
            parts, {.id = "parts", .budget = RestartBudget{.restarts = 500, .max_backoff = 1ms}}));
        top.push_back(child<DynamicSupervisor>({.id = "sessions", .name = "sessions"}));
        top.push_back(noted(notes, "here"));
        auto tree = co_await require(supervise({}, std::move(top)));
        auto sessions = whereis<DynamicSupervisor>("sessions");
        for (int i = 0; i < 100; ++i) {
            (void)co_await start_child(
                sessions, child<Plain>({.restart = Restart::temporary,
                                        .place = place::shard(static_cast<std::uint8_t>(i % 2))}));
            std::size_t which = random().below(4);
            Pid before = parts.at(which).pid();
            cast(parts.at(which), Plain::Crash{});
            (void)co_await exit_of(before);
            while (parts.at(which).pid() == before) co_await sleep(1ms);
            EXPECT_EQ(parts.at(which).pid().shard(), which % 2);
        }
        EXPECT_EQ((co_await count_children(sessions))->active, 100U);
        auto roots = co_await supervision_tree();
        EXPECT_EQ(roots.size(), 1U);
        EXPECT_EQ(roots.at(0).children.at(1).children.size(), 100U);
        Pid remote = parts.at(1).pid();
        co_await stop_and_wait(tree.pid());
        EXPECT_EQ((co_await exit_of(remote))->kind(), ExitReason::Kind::noproc);
        RuntimeSnapshot seen = co_await bennu::runtime::snapshot();
        EXPECT_EQ(seen.shards.at(0).processes + seen.shards.at(1).processes, 1U) << "main";
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

}  // namespace bennu::dynamic_supervisor_test
