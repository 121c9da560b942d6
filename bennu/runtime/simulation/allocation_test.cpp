// Allocations that fail, one after the other, all through a program that uses most of the runtime.
#include <gtest/gtest.h>

#include "bennu/runtime/async.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/group.hpp"
#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/pipe.hpp"
#include "bennu/runtime/simulation/failing_new.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::sim_allocation_test {

using namespace std::chrono_literals;

int alive_bodies = 0;

struct Counted {
    CountsAlive mark{alive_bodies};
};

/// Lives through it all on its own and counts.
struct Neighbour : Server {
    struct Beat {
        using Reply = int;
    };
    int handle(Beat) { return ++beats; }
    int beats = 0;
    Counted counted;
};

struct Helper : Server {
    struct Ask {
        using Reply = std::string;
        std::string text;
    };
    struct Tell {
        std::array<char, 200> bytes{};
    };
    struct AskLater {
        using Reply = int;
    };
    Task<std::string> handle(Ask m) {
        co_await sleep(1ms);
        co_return m.text + "!";
    }
    void handle(Tell) {}
    void handle(AskLater, From<int> from) { waiting.push_back(std::move(from)); }
    std::vector<From<int>> waiting;
    Counted counted;
};

/// Does a bit of everything, again whenever it was restarted.
struct Worker : Server {
    struct Work {
        using Reply = bool;
    };
    Task<Result<>> init() {
        join_group("workers");
        co_await sleep(1ms);
        co_return {};
    }
    Task<bool> handle(Work) {
        Ref<Helper> helper(whereis("helper"));
        cast(helper, Helper::Tell{});
        monitor(helper.pid());
        (void)co_await try_call(helper, Helper::Ask{std::string(100, 'x')}, {.timeout = 1s});
        (void)co_await try_call(helper, Helper::AskLater{}, {.timeout = 2ms});
        auto child = spawn_with<Helper>({.link = true});
        send_after(child, Helper::Tell{}, 1ms);
        (void)co_await gather(nap(1), nap(2));
        (void)co_await offload([]() -> Result<int> { return 1; });
        auto remote = co_await spawn_on(static_cast<std::uint8_t>(1 - shard_index()),
                                        [] { return spawn<Helper>().pid(); });
        if (remote) {
            (void)co_await try_call(Ref<Helper>(*remote), Helper::Ask{"far"}, {.timeout = 1s});
            co_await stop_and_wait(*remote);
        }
        co_await stop_and_wait(child.pid());
        co_return true;
    }
    void handle(Down) {}
    static Task<int> nap(int ms) {
        co_await sleep(ms * 1ms);
        co_return ms;
    }
    Counted counted;
};

constexpr RestartBudget plenty{.restarts = UINT32_MAX, .within = 1us, .max_backoff = 10ms};

std::vector<ChildSpec> workers() {
    std::vector<ChildSpec> list;
    list.push_back(child<Helper>({.id = "helper", .name = "helper", .place = place::shard(1)}));
    list.push_back(child<Worker>({.id = "worker", .name = "worker", .place = place::shard(0)}));
    list.push_back(child<Worker>({.id = "other", .name = "other", .place = place::shard(1)}));
    return list;
}

/// Waits for the worker to be there and to do its work once without a fault.
Task<> work_once(const char* name) {
    for (int i = 0; i < 1000; ++i) {
        auto done = co_await try_call(whereis<Worker>(name), Worker::Work{}, {.timeout = 10s});
        if (done) co_return;
        co_await sleep(1ms);
    }
    ADD_FAILURE() << name << " does not come back";
}

Task<Result<>> start_tree() {
    std::vector<ChildSpec> specs;
    specs.push_back(child_supervisor(
        "nested", {.strategy = rest_for_one, .budget = plenty, .name = "nested"}, &workers));
    co_await require(supervise({.budget = plenty, .name = "top"}, std::move(specs)));
    co_return {};
}

Task<Result<>> busy_program() {
    auto neighbour = spawn_with<Neighbour>({.name = "neighbour"});
    // A child that cannot start at first is the starter's business.
    while (!co_await start_tree()) co_await sleep(1ms);
    for (int i = 1; i <= 2; ++i) {
        co_await work_once("worker");
        co_await work_once("other");
        EXPECT_EQ(co_await call(neighbour, Neighbour::Beat{}), i);
    }
    co_return {};
}

/// The processes whose allocations may fail: not those that the others are measured by.
bool may_fail(const ProcessInfo& info) {
    return info.name != "main" && info.name != "top" && info.name != "neighbour";
}

SimOutcome with_failing(std::uint64_t step) {
    return simulate(
        {.faults = {.victim = may_fail},
         .plan = std::vector<SimFault>{{.kind = FaultKind::failed_allocation, .step = step}}},
        &busy_program);
}

TEST(SimAllocations, each_one_that_fails_ends_its_process_and_nothing_else) {
    LogCapture quiet(LogLevel::off);
    std::uint64_t all = with_failing(UINT64_MAX).allocations;
    EXPECT_GT(all, 60U);
    for (std::uint64_t step = 1; step <= all; ++step) {
        SCOPED_TRACE("allocation " + std::to_string(step) + " of " + std::to_string(all));
        SimOutcome outcome = with_failing(step);
        EXPECT_EQ(outcome.status, 0);
        EXPECT_FALSE(outcome.hung);
        EXPECT_EQ(outcome.faults.size(), 1U);
        EXPECT_EQ(alive_bodies, 0) << "bodies that nobody destroyed";
        if (HasFailure()) {
            for (const SimFault& fault : outcome.faults)
                std::printf("%s\n", fault.describe().c_str());
            break;
        }
    }
    RecordProperty("allocations", std::to_string(all));
    std::printf("%llu allocations\n", static_cast<unsigned long long>(all));
}

TEST(SimAllocations, many_that_fail_at_random_are_lived_through) {
    LogCapture quiet(LogLevel::off);
    std::size_t struck = 0;
    for (std::uint64_t seed : simulation_seeds()) {
        SCOPED_TRACE("replay: BENNU_SIM_SEED=" + std::to_string(seed));
        SimOutcome outcome =
            simulate({.seed = seed, .faults = {.failed_allocations = 0.01, .victim = may_fail}},
                     &busy_program);
        EXPECT_EQ(outcome.status, 0);
        EXPECT_FALSE(outcome.hung);
        EXPECT_EQ(alive_bodies, 0);
        struck += outcome.faults.size();
    }
    EXPECT_GT(struck, 10U);
}

/// Fills the first chunk of its shard's process table but for one slot.
struct Filler : Server {
    struct Fill {
        using Reply = bool;
    };
    bool handle(Fill) {
        while (crowd.empty() || crowd.back().pid().slot() < 4094) crowd.push_back(spawn<Helper>());
        return true;
    }
    std::vector<Ref<Helper>> crowd;
};

/// Spawns over the edge of the chunk, where the table grows.
struct Spawner : Server {
    struct Spawn {
        using Reply = bool;
    };
    bool handle(Spawn) {
        for (int i = 0; i < 3; ++i) spawn<Helper>();
        spawn_task([mark = std::make_shared<Counted>()]() -> Task<> { co_return; });
        return true;
    }
};

SimOutcome at_the_edge(std::uint64_t step) {
    auto spawners = [](const ProcessInfo& info) { return info.name == "spawner"; };
    return simulate(
        {.shards = 1,
         .faults = {.victim = spawners},
         .plan = std::vector<SimFault>{{.kind = FaultKind::failed_allocation, .step = step}}},
        []() -> Task<Result<>> {
            auto filler = spawn_with<Filler>({.name = "neighbour"});
            auto spawner = spawn_with<Spawner>({.name = "spawner"});
            co_await call(filler, Filler::Fill{});
            (void)co_await try_call(spawner, Spawner::Spawn{});
            // Whatever failed, the table goes on.
            for (int i = 0; i < 5000; ++i) spawn<Helper>();
            co_return {};
        });
}

TEST(SimAllocations, a_process_table_that_cannot_grow_leaks_nothing) {
    LogCapture quiet(LogLevel::off);
    std::uint64_t all = at_the_edge(UINT64_MAX).allocations;
    EXPECT_GE(all, 7U);
    for (std::uint64_t step = 1; step <= all; ++step) {
        SCOPED_TRACE("allocation " + std::to_string(step) + " of " + std::to_string(all));
        SimOutcome outcome = at_the_edge(step);
        EXPECT_EQ(outcome.status, 0);
        EXPECT_EQ(outcome.faults.size(), 1U);
        EXPECT_EQ(alive_bodies, 0) << "bodies that nobody destroyed";
        if (HasFailure()) break;
    }
}

}  // namespace bennu::sim_allocation_test
