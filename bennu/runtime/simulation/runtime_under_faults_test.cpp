// The parts of the runtime that hold others together, while everything goes wrong around them.
#include <gtest/gtest.h>

#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/insight/snapshot.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/pipe.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::under_faults_test {

using namespace std::chrono_literals;

/// Bodies of the run in progress, by name: never two at a time.
std::map<std::string, int> alive_by_name;

struct Member : Server {
    struct Sync {
        using Reply = std::string;
    };
    explicit Member(std::string n) : name(std::move(n)) {
        EXPECT_EQ(++alive_by_name[name], 1) << "two of " << name;
    }
    ~Member() { --alive_by_name[name]; }
    Task<Result<>> init() {
        co_await sleep(Duration(random().below(1'000'000)));
        co_await offload([] {});
        co_return {};
    }
    std::string handle(Sync) { return name; }
    std::string name;
};

std::vector<ChildSpec> members(const std::string& group) {
    std::vector<ChildSpec> list;
    for (std::uint8_t i = 0; i < 3; ++i) {
        std::string name = group + std::to_string(i);
        list.push_back(child<Member>({.id = name, .name = name, .place = place::shard(i)}, name));
    }
    return list;
}

constexpr RestartBudget plenty{.restarts = UINT32_MAX, .within = 1us, .max_backoff = 100ms};

std::vector<ChildSpec> groups() {
    std::vector<ChildSpec> list;
    for (Strategy strategy : {one_for_one, one_for_all, rest_for_one}) {
        std::string group(to_string(strategy));
        list.push_back(child_supervisor(group,
                                        {.strategy = strategy, .budget = plenty, .name = group},
                                        [group] { return members(group); }));
    }
    return list;
}

Task<Result<>> tree_of_three_strategies() {
    // A child that cannot start at first is the starter's business.
    while (!co_await supervise({.budget = plenty, .name = "top"}, groups())) co_await sleep(1ms);
    co_await sleep(30s);
    // The faults are over: everybody is there, once, and answers.
    for (Strategy strategy : {one_for_one, one_for_all, rest_for_one}) {
        for (int i = 0; i < 3; ++i) {
            std::string name = std::string(to_string(strategy)) + std::to_string(i);
            auto answer = co_await try_call(whereis<Member>(name), Member::Sync{});
            EXPECT_EQ(answer ? *answer : answer.error().describe(), name);
            EXPECT_EQ(alive_by_name[name], 1);
        }
    }
    std::size_t count = 0;
    for (const ShardInfo& shard : (co_await runtime::snapshot({.top = 0})).shards)
        count += shard.processes;
    EXPECT_EQ(count, 1U + 1 + 3 + 9) << "main, top, groups, members, and no orphan";
    co_return {};
}

bool below_the_top(const ProcessInfo& info) {
    return info.name != "main" && info.name != "top";
}

BENNU_SIM_TEST(UnderFaults, a_tree_of_supervisors_is_whole_again_when_it_is_over, sim) {
    alive_by_name.clear();
    LogCapture quiet(LogLevel::off);
    sim.shards = 3;
    sim.faults = {.kills = 10,
                  .clock_jumps = 2,
                  .suspends = 1,
                  .slow_jobs = 0.1,
                  .refused_jobs = 0.1,
                  .failed_allocations = 0.002,
                  .until = 5s,
                  .victim = below_the_top};
    SimOutcome outcome = simulate(sim, &tree_of_three_strategies);
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
    for (const auto& [name, count] : alive_by_name) EXPECT_EQ(count, 0) << name;
}

struct Flow {
    int read = 0;
    int streams = 0;
};

/// Reads one stream of numbers after the other, from producers on both shards.
struct Reader : Server {
    struct Go {};
    explicit Reader(Flow* f) : flow(f) {}
    Task<> handle(Go) {
        while (true) {
            auto stream =
                stream_on(static_cast<std::uint8_t>(flow->streams++ % 2), []() -> Stream<int> {
                    for (int i = 0; i < 50; ++i) {
                        if (random().chance(0.2))
                            co_await sleep(Duration(random().below(3'000'000)));
                        co_yield i;
                    }
                });
            int expected = 0;
            while (auto item = co_await stream.next()) {
                EXPECT_EQ(*item, expected++) << "in order, none lost, none twice";
                ++flow->read;
                if (random().chance(0.1)) co_await sleep(Duration(random().below(3'000'000)));
            }
            EXPECT_EQ(expected == 50, !stream.failure()) << "an end before the end has a reason";
        }
    }
    Flow* flow;
};

BENNU_SIM_TEST(UnderFaults, pipes_keep_order_and_tell_of_every_end, sim) {
    LogCapture quiet(LogLevel::off);
    Flow flow;
    sim.faults = {.kills = 20, .suspends = 1, .until = 3s, .victim = below_the_top};
    SimOutcome outcome = simulate(sim, [&]() -> Task<Result<>> {
        for (Instant start = now(); now() - start < 4s;) {
            Ref<Reader> reader = spawn<Reader>(&flow);
            cast(reader, Reader::Go{});
            (void)co_await exit_of(reader.pid(), 500ms);
            co_await stop_and_wait(reader.pid());
        }
        co_await sleep(1s);
        std::size_t count = 0;
        for (const ShardInfo& shard : (co_await runtime::snapshot({.top = 0})).shards)
            count += shard.processes;
        EXPECT_EQ(count, 1U) << "no producer outlives its reader";
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_GT(flow.read, 0);
}

}  // namespace bennu::under_faults_test
