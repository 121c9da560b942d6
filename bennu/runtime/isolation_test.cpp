#include <array>
#include <atomic>
#include <chrono>

#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::isolation_test {

using namespace std::chrono_literals;

/// One end of a connection to ourselves. The one that serves sends back what it gets; the other
/// sends a number and waits for it, so many times.
struct End : Server {
    struct Rounds {
        using Reply = int;
        int count;
    };
    explicit End(SocketHandle s) : socket(s) {}
    ~End() {
        if (socket >= 0) reactor().close(socket);
    }
    Task<Result<>> init() { co_return watch_io(socket); }
    void handle(Rounds rounds, From<int> from) {
        left = rounds.count;
        done = std::move(from);
        if (writable) write(1);
    }
    void handle_io(std::uint8_t, Readiness ready) {
        if (ready.writable && !std::exchange(writable, true) && left > 0) write(1);
        std::array<char, 64> bytes;
        while (ready.readable) {
            IoResult got = reactor().read(socket, bytes);
            if (got.kind != IoResult::Kind::done || got.bytes == 0) return;
            ++reads;
            if (left == 0 || --left > 0) write(got.bytes);
            if (left == 0 && done) done.reply(reads);
        }
    }
    void write(std::size_t count) {
        std::array<char, 64> bytes{};
        EXPECT_EQ(reactor().write(socket, std::span(bytes).first(count)).bytes, count);
    }
    SocketHandle socket;
    bool writable = false;
    int left = 0, reads = 0;
    From<int> done;
};

TEST(IsolationMultiShard, work_on_one_shard_does_not_delay_io_and_timers_of_another) {
    constexpr int rounds = 1000, naps = 100;
    std::atomic<bool> busy = false, finish = false, gave_up = false;
    int echoed = 0, slept = 0;
    int status =
        run({.shards = 2, .handle_signals = false, .stalls = {.threshold = Duration::zero()}},
            [&]() -> Task<Result<>> {
                // From here to `finish` shard 1 is within one function. It would give up only after
                // shard 0 has had all the time in the world.
                post(1, [&] {
                    spawn_task([&]() -> Task<> {
                        busy = true;
                        auto limit = std::chrono::steady_clock::now() + 60s;
                        while (!finish && !gave_up)
                            gave_up = std::chrono::steady_clock::now() > limit;
                        busy = false;
                        co_return;
                    });
                });
                while (!busy) co_await sleep(1ms);

                SocketHandle listener = co_await require(reactor().listen({}, {}));
                SocketHandle client =
                    co_await require(reactor().connect(reactor().local_address(listener)));
                SocketHandle accepted = -1;
                while (reactor().accept(listener, accepted).kind == IoResult::Kind::would_block)
                    co_await sleep(1ms);
                auto echo = spawn<End>(accepted);
                auto asks = spawn<End>(client);
                echoed = co_await call(asks, End::Rounds{rounds}, {.timeout = 1min});
                for (; slept < naps; ++slept) co_await sleep(100us);
                EXPECT_TRUE(busy);
                finish = true;
                reactor().close(listener);
                (void)echo;
                co_return {};
            });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(echoed, rounds);
    EXPECT_EQ(slept, naps);
    EXPECT_FALSE(gave_up);
}

}  // namespace bennu::isolation_test
