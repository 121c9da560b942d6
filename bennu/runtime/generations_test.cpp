// Names that are kept for longer than their slots have generations find nothing, and nobody else.
#include <gtest/gtest.h>

#include "bennu/runtime/pool.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::generations_test {

using namespace std::chrono_literals;

TEST(Generations, a_wait_that_has_had_all_of_them_is_not_used_again) {
    detail::WaitTable waits;
    detail::WaitState state;
    auto add = [&] { return waits.add(0, Pid(0, 1, 1), std::noop_coroutine(), &state); };
    const detail::ReplyTo kept = add();
    waits.remove(kept);
    for (std::uint32_t i = 0; i < (1U << 24) + 10; ++i) {
        detail::ReplyTo key = add();
        if (waits.find_waiting(kept)) FAIL() << "a stale key found another wait, at " << i;
        waits.remove(key);
    }
    EXPECT_NE(add().index, kept.index);
    EXPECT_EQ(waits.size(), 1U);
}

BENNU_SIM_TEST(Generations, a_process_slot_that_has_had_all_of_them_is_not_used_again, options) {
    finishes(options, []() -> Task<Result<>> {
        detail::Shard& shard = *detail::Shard::current();
        auto idle = []() -> Task<> { co_await sleep(1h); };
        const Pid first = spawn_task(idle);
        shard.find(first)->generation = UINT32_MAX;
        const Pid last(first.shard(), first.slot(), UINT32_MAX);
        kill(last);
        EXPECT_FALSE(shard.find(last));
        // More than rest in the list of free slots: every one of them comes around.
        for (int i = 0; i < 20'000; ++i) {
            Pid pid = spawn_task(idle);
            EXPECT_NE(pid.slot(), first.slot());
            kill(pid);
        }
        co_return {};
    });
}

struct Sent : Server {
    struct Note {
        std::array<std::uint64_t, 3> small;
    };
    struct Letter {
        std::array<std::uint64_t, 8> large;
    };
    struct Received {
        using Reply = std::uint64_t;
    };
    void handle(Note) { ++received; }
    void handle(Letter) { ++received; }
    std::uint64_t handle(Received) { return received; }
    std::uint64_t received = 0;
};

TEST(MessagesMultiShard, that_go_one_way_take_no_ever_growing_memory) {
    std::size_t before = 0, after = 0;
    run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        Ref<Sent> there(*co_await spawn_on(1, [] { return spawn<Sent>().pid(); }));
        std::uint64_t sent = 0;
        auto burst = [&](int rounds) -> Task<> {
            for (int round = 0; round < rounds; ++round) {
                for (int i = 0; i < 500; ++i) {
                    cast(there, Sent::Note{});
                    cast(there, Sent::Letter{});
                }
                sent += 1000;
                while (co_await call(there, Sent::Received{}) < sent) {}
            }
        };
        co_await burst(20);
        before = detail::pool_reserved_bytes();
        co_await burst(300);
        after = detail::pool_reserved_bytes();
        co_return {};
    });
    EXPECT_LE(after - before, 1U << 20) << "each node goes back to where it came from";
}

}  // namespace bennu::generations_test
