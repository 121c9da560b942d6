#include "bennu/runtime/group.hpp"

#include "bennu/runtime/multi_registry.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::group_test {

using namespace std::chrono_literals;

struct Member : Server {
    struct Hello {
        int number;
    };
    struct Sum {
        using Reply = int;
    };
    void handle(Hello m) { sum += m.number; }
    int handle(Sum) { return sum; }
    int sum = 0;
};

/// Looks itself up while it is being destroyed.
struct LooksBack : Server {
    explicit LooksBack(std::vector<bool>& results) : found(results) {}
    ~LooksBack() {
        found.push_back(whereis("looks-back") || !local_group_members("looks-back").empty());
    }
    std::vector<bool>& found;
};

BENNU_SIM_TEST(Group, has_the_members_of_all_shards_until_they_end, options) {
    finishes(options, []() -> Task<Result<>> {
        auto here = spawn<Member>();
        auto there =
            Ref<Member>((co_await spawn_on(1, [] { return spawn<Member>().pid(); })).value());
        join_group("g", here.pid());
        join_group("g", here.pid());
        join_group("g", there.pid());
        join_group("h", here.pid());
        co_await sleep(1ms);
        EXPECT_EQ(group_members("g"), (std::vector<Pid>{here.pid(), there.pid()}));
        EXPECT_EQ(local_group_members("g"), std::vector<Pid>{here.pid()});
        EXPECT_EQ(groups_of(here.pid()), (std::vector<std::string>{"g", "h"}));
        cast_group<Member>("g", Member::Hello{5});
        EXPECT_EQ(co_await call(here, Member::Sum{}) + co_await call(there, Member::Sum{}), 10);
        leave_group("h", here.pid());
        EXPECT_TRUE(group_members("h").empty());
        kill(here.pid());
        EXPECT_EQ(group_members("g"), std::vector<Pid>{there.pid()});
        kill(there.pid());
        (void)co_await exit_of(there.pid());
        EXPECT_TRUE(group_members("g").empty());
        join_group("g", here.pid());
        EXPECT_TRUE(group_members("g").empty());
        co_return {};
    });
}

BENNU_SIM_TEST(Group, nobody_is_found_once_its_destruction_has_begun, options) {
    finishes(options, []() -> Task<Result<>> {
        std::vector<bool> found;
        auto server = spawn_with<LooksBack>({.name = "looks-back"}, found);
        join_group("looks-back", server.pid());
        EXPECT_TRUE(whereis("looks-back"));
        EXPECT_EQ(group_members("looks-back").size(), 1U);
        kill(server.pid());
        EXPECT_EQ(found, std::vector<bool>{false});
        co_return {};
    });
}

BENNU_SIM_TEST(Names, are_free_again_in_the_step_in_which_their_process_ends, options) {
    finishes(options, []() -> Task<Result<>> {
        for (int round = 0; round < 10; ++round) {
            auto first = co_await start<Member>({.name = "one"});
            EXPECT_TRUE(first);
            EXPECT_EQ((co_await start<Member>({.name = "one"})).error().code(), "name_taken");
            // The loser's end does not take the winner's name away.
            EXPECT_EQ(whereis("one"), first->pid());
            kill(first->pid());
            auto second = co_await start<Member>({.name = "one"});
            EXPECT_TRUE(second);
            EXPECT_EQ(whereis("one"), second->pid());
            auto gone = co_await exit_of(first->pid());
            EXPECT_TRUE(gone);
            EXPECT_EQ(whereis("one"), second->pid());
            // From another shard.
            Pid seen;
            (void)co_await spawn_on(1, [&seen] {
                seen = whereis("one");
                return seen;
            });
            EXPECT_EQ(seen, second->pid());
            kill(second->pid());
            EXPECT_FALSE(whereis("one"));
        }
        co_return {};
    });
}

BENNU_SIM_TEST(MultiRegistry, keeps_values_by_key_and_process, options) {
    finishes(options, []() -> Task<Result<>> {
        MultiRegistry<std::string> registry;
        auto a = spawn<Member>(), b = spawn<Member>();
        registry.add("topic", a.pid(), "first");
        registry.add("topic", a.pid(), "second");
        registry.add("topic", b.pid(), "third");
        registry.add("other", b.pid());
        EXPECT_EQ(registry.count("topic"), 2U);
        EXPECT_EQ(registry.lookup("topic").at(0).value, "second");
        EXPECT_EQ(registry.keys_of(b.pid()), (std::vector<std::string>{"other", "topic"}));
        registry.remove("topic", b.pid());
        EXPECT_EQ(registry.pids("topic"), std::vector<Pid>{a.pid()});
        kill(a.pid());
        kill(b.pid());
        EXPECT_EQ(registry.count("topic") + registry.count("other"), 0U);
        co_return {};
    });
}

TEST(GroupMultiShard, members_come_and_go_on_every_thread) {
    int status = run({.shards = 2, .handle_signals = false}, []() -> Task<Result<>> {
        std::atomic<int> done{0};
        for (std::uint8_t shard : {0, 1}) {
            post(shard, [&done] {
                spawn_task([&done]() -> Task<> {
                    for (int i = 0; i < 300; ++i) {
                        auto member = spawn<Member>();
                        join_group("busy", member.pid());
                        for (Pid pid : local_group_members("busy")) EXPECT_TRUE(alive(pid));
                        cast_group<Member>("busy", Member::Hello{1});
                        if (i % 3 != 0) co_await sleep(0ms);
                        kill(member.pid());
                        for (Pid pid : local_group_members("busy")) EXPECT_TRUE(alive(pid));
                    }
                    ++done;
                });
            });
        }
        while (done < 2) co_await sleep(1ms);
        EXPECT_TRUE(group_members("busy").empty());
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

}  // namespace bennu::group_test
