#include "bennu/runtime/placement.hpp"

#include <atomic>
#include <map>

#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::placement_test {

using namespace std::chrono_literals;

struct Room : Server {
    struct Leave {};
    void handle(Leave) { exit_self(); }
};

BENNU_SIM_TEST(Placement, the_least_loaded_shards_fill_up_evenly, options) {
    options.shards = 4;
    finishes(options, []() -> Task<Result<>> {
        std::vector<Ref<Room>> rooms;
        auto counts = [&rooms] {
            std::map<int, int> counts;
            for (auto room : rooms) ++counts[room.pid().shard()];
            return counts;
        };
        auto add = [&rooms](int count) -> Task<> {
            for (int i = 0; i < count; ++i)
                rooms.emplace_back(
                    *co_await spawn_on(place::least_loaded, [] { return spawn<Room>().pid(); }));
        };
        co_await add(200);
        // Shard 0 has the main process and its queue.
        for (auto [shard, count] : counts()) {
            EXPECT_GE(count, 30) << shard;
            EXPECT_LE(count, 70) << shard;
        }
        // Half of them leave one shard: the next ones go there.
        int left = 0;
        std::erase_if(rooms, [&left](Ref<Room> room) {
            if (room.pid().shard() != 2 || left == 25) return false;
            ++left;
            cast(room, Room::Leave{});
            return true;
        });
        co_await sleep(1ms);
        co_await add(20);
        EXPECT_GE(counts()[2], 35);
        // Many at once do not all take the shard that is the emptiest at that moment.
        std::map<int, int> chosen;
        for (int i = 0; i < 100; ++i) ++chosen[least_loaded_shard()];
        for (int shard = 0; shard < 4; ++shard) EXPECT_GE(chosen[shard], 5);
        co_return {};
    });
}

BENNU_SIM_TEST(Placement, keys_stay_on_their_shard_and_spread, options) {
    options.shards = 3;
    finishes(options, []() -> Task<Result<>> {
        std::map<int, int> counts;
        for (int key = 0; key < 300; ++key) {
            std::string text = "room:" + std::to_string(key);
            Pid pid = *co_await spawn_on(place::by_key(text), [] { return spawn<Room>().pid(); });
            EXPECT_EQ(pid.shard(), shard_for(text));
            EXPECT_EQ(place::by_key(key).choose(), shard_for(key));
            ++counts[pid.shard()];
        }
        for (int shard = 0; shard < 3; ++shard) EXPECT_GE(counts[shard], 70);
        // The same in every build and on every machine.
        EXPECT_EQ(detail::stable_hash("room:1"), 15327857293425410769ULL);
        EXPECT_EQ(detail::stable_hash(std::uint64_t{1}), 6238072747940578789ULL);
        EXPECT_EQ(place::shard(7).choose(), 1);
        EXPECT_EQ(place::here.choose(), 0);
        co_return {};
    });
}

BENNU_SIM_TEST(Placement, of_children_is_decided_at_each_start, options) {
    options.shards = 3;
    finishes(options, []() -> Task<Result<>> {
        std::vector<ChildSpec> specs;
        specs.push_back(child<Room>({.id = "a", .name = "a", .place = place::by_key("tenant 1")}));
        specs.push_back(child<Room>({.id = "b", .name = "b", .place = place::shard(2)}));
        specs.push_back(child<Room>({.id = "c", .name = "c", .place = place::least_loaded}));
        auto tree = co_await supervise({}, std::move(specs));
        EXPECT_TRUE(tree);
        EXPECT_EQ(whereis("a").shard(), shard_for("tenant 1"));
        EXPECT_EQ(whereis("b").shard(), 2);
        Pid first = whereis("c");
        // Its shard gets much to do before it is started again.
        (void)co_await spawn_on(first.shard(), [] {
            for (int i = 0; i < 100; ++i) spawn<Room>();
            return Pid();
        });
        kill(first, "test");
        co_await sleep(100ms);
        EXPECT_TRUE(whereis("c"));
        EXPECT_NE(whereis("c").shard(), first.shard());
        co_await stop_and_wait(tree->pid());
        co_return {};
    });
}

TEST(PlacementMultiShard, spreads_while_every_shard_works) {
    std::atomic<int> here = 0, there = 0;
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        std::vector<Pid> spawners;
        for (std::uint8_t shard : {0, 1}) {
            spawners.push_back(*co_await spawn_on(shard, [&] {
                return spawn_task([&]() -> Task<> {
                    for (int i = 0; i < 200; ++i) {
                        Pid pid = *co_await spawn_on(place::least_loaded,
                                                     [] { return spawn<Room>().pid(); });
                        ++(pid.shard() == 0 ? here : there);
                    }
                });
            }));
        }
        for (Pid pid : spawners) (void)co_await exit_of(pid);
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_GE(here, 100);
    EXPECT_GE(there, 100);
    EXPECT_EQ(here + there, 400);
}

}  // namespace bennu::placement_test
