// The runtime's figures: each mode measures one thing in a fresh process and prints `name value`
// lines. Usage: bench_runtime MODE [COUNT]
#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "benches/runtime/measure.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::bench {
namespace {

struct Echo : Server {
    struct Get {
        using Reply = std::uint64_t;
        std::uint64_t value;
    };
    std::uint64_t handle(Get m) { return m.value + 1; }
};

/// Spawns, watches and ends processes in batches.
Task<Result<>> spawn_exit(std::size_t count) {
    struct Watcher : Server {
        struct Batch {
            using Reply = int;
            int size;
        };
        void handle(Batch m, From<int> from) {
            left = m.size;
            waiting = std::move(from);
            for (int i = 0; i < m.size; ++i) {
                auto child = spawn<Idle>();
                monitor(child.pid());
                kill(child.pid());
            }
        }
        void handle(Down) {
            if (--left == 0) waiting.reply(0);
        }
        int left = 0;
        From<int> waiting;
    };
    auto watcher = spawn<Watcher>();
    auto start = Clock::now();
    constexpr int batch = 100;
    for (std::size_t done = 0; done < count; done += batch) {
        co_await call(watcher, typename Watcher::Batch{batch});
    }
    print("spawn_exit", static_cast<double>(count) / seconds_since(start));
    co_return {};
}

Task<Result<>> call_local(std::size_t count) {
    auto echo = spawn<Echo>();
    double cpu = cpu_seconds();
    auto start = Clock::now();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = co_await call(echo, Echo::Get{value});
    double elapsed = seconds_since(start);
    print("call_local", static_cast<double>(count) / elapsed);
    print("cpu_per_wall", (cpu_seconds() - cpu) / elapsed);
    co_return value == count ? Result<>() : Error(ErrorKind::internal, "lost_calls");
}

Task<Result<>> call_cross(std::size_t count, unsigned in_flight) {
    auto made = co_await spawn_on(1, [] { return spawn<Echo>().pid(); });
    Ref<Echo> echo(made.value());
    struct Caller : Server {
        struct Run {
            using Reply = int;
            std::size_t calls;
        };
        Ref<Echo> echo;
        std::vector<float>* latencies;
        Task<int> handle(Run m) {
            for (std::size_t i = 0; i < m.calls; ++i) {
                // Looking at the clock costs about as much as a call: now and then is enough.
                bool timed = i % 16 == 0;
                auto start = timed ? Clock::now() : Clock::time_point();
                co_await call(echo, Echo::Get{i});
                if (timed) latencies->push_back(static_cast<float>(seconds_since(start) * 1e6));
            }
            co_return 0;
        }
    };
    std::vector<float> latencies;
    latencies.reserve(count / 16 + in_flight);
    std::vector<Pid> callers;
    double cpu = cpu_seconds();
    auto start = Clock::now();
    for (unsigned i = 0; i < in_flight; ++i) {
        auto caller = spawn<Caller>();
        local_body(caller)->echo = echo;
        local_body(caller)->latencies = &latencies;
        callers.push_back(spawn_task([caller, share = count / in_flight]() -> Task<> {
            co_await call(caller, typename Caller::Run{share},
                          {.timeout = std::chrono::minutes(5)});
        }));
    }
    for (Pid caller : callers) (void)co_await exit_of(caller);
    double elapsed = seconds_since(start);
    std::sort(latencies.begin(), latencies.end());
    print(in_flight == 1 ? "call_cross_1" : "call_cross_100", static_cast<double>(count) / elapsed);
    print("p50_us", latencies[latencies.size() / 2]);
    print("p99_us", latencies[latencies.size() * 99 / 100]);
    print("cpu_per_wall", (cpu_seconds() - cpu) / elapsed);
    co_return {};
}

Task<Result<>> ring(std::size_t hops) {
    struct Node : Server {
        struct Token {
            std::uint64_t left;
        };
        void handle(Token m) {
            if (m.left == 0) {
                cast(next_done, Done{});
                return;
            }
            cast(next, Token{m.left - 1});
        }
        struct Done {};
        struct Wait {
            using Reply = int;
        };
        void handle(Done) {
            finished = true;
            if (waiting) waiting.reply(0);
        }
        void handle(Wait, From<int> from) {
            waiting = std::move(from);
            if (finished) waiting.reply(0);
        }
        Ref<Node> next, next_done;
        bool finished = false;
        From<int> waiting;
    };
    std::vector<Ref<Node>> nodes;
    for (int i = 0; i < 1000; ++i) nodes.push_back(spawn<Node>());
    auto judge = spawn<Node>();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        local_body(nodes[i])->next = nodes[(i + 1) % nodes.size()];
        local_body(nodes[i])->next_done = judge;
    }
    auto start = Clock::now();
    cast(nodes[0], typename Node::Token{hops});
    co_await call(judge, typename Node::Wait{}, {.timeout = std::chrono::minutes(5)});
    print("ring", static_cast<double>(hops) / seconds_since(start));
    co_return {};
}

Task<Result<>> timers(std::size_t count) {
    auto sink = spawn<Idle>();
    auto start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        send_after(sink, Idle::Ping{},
                   std::chrono::seconds(1) + Duration(bennu::random().below(1'000'000'000)));
        // Arming a million in one go would be the turn under test.
        if (i % 1000 == 999) co_await yield_now();
    }
    print("arm_per_second", static_cast<double>(count) / seconds_since(start));
    double longest = 0;
    auto previous = Clock::now();
    while (local_body(sink)->pings < count) {
        // One turn of the shard between two looks at the clock.
        at_turn_end([&] {
            double turn = seconds_since(previous) * 1e3;
            longest = std::max(longest, turn);
        });
        previous = Clock::now();
        co_await bennu::sleep(std::chrono::milliseconds(1));
    }
    print("longest_ms", longest);
    co_return {};
}

struct Fragile : Server {
    struct Crash {
        using Reply = int;
    };
    struct Ping {
        using Reply = int;
    };
    int handle(Crash) { throw std::runtime_error("crash"); }
    int handle(Ping) { return 1; }
};

/// From the message that makes a child crash to the first answer of the restarted one, in µs,
/// sorted. `before` is what its shard does until then.
Task<std::vector<double>> restarts(std::size_t count, Function<Task<>()> before) {
    std::vector<double> micros;
    for (std::size_t i = 0; i < count; ++i) {
        Pid first = whereis("fragile");
        co_await before();
        auto start = Clock::now();
        (void)co_await try_call(Ref<Fragile>(first), Fragile::Crash{});
        while (true) {
            Pid after = whereis("fragile");
            if (after && after != first && co_await try_call(Ref<Fragile>(after), Fragile::Ping{}))
                break;
            co_await yield_now();
        }
        micros.push_back(seconds_since(start) * 1e6);
    }
    std::sort(micros.begin(), micros.end());
    co_return micros;
}

Task<Result<>> restart(std::size_t count) {
    std::vector<ChildSpec> specs;
    specs.push_back(child<Fragile>({.id = "fragile", .name = "fragile"}));
    // Longer between two crashes than the window, so that no attempt counts as one in a row.
    auto tree = co_await require(
        supervise({.budget = {.restarts = 1U << 30, .within = std::chrono::microseconds(100)}},
                  std::move(specs)));
    (void)tree;
    auto echo = spawn<Echo>();
    auto working = co_await restarts(count, [echo]() -> Task<> {
        for (Instant until = bennu::now() + std::chrono::microseconds(300); bennu::now() < until;)
            co_await call(echo, Echo::Get{1});
    });
    auto asleep = co_await restarts(
        count, []() -> Task<> { co_await bennu::sleep(std::chrono::milliseconds(3)); });
    print("p50_us", working[count / 2]);
    print("p99_us", working[count * 99 / 100]);
    print("asleep_p50_us", asleep[count / 2]);
    print("asleep_p99_us", asleep[count * 99 / 100]);
    co_return {};
}

/// Two threads and two atomics: what the machine itself can do.
void ping_pong(std::size_t count) {
    alignas(64) std::atomic<std::uint64_t> there{0};
    alignas(64) std::atomic<std::uint64_t> back{0};
    std::thread other([&] {
        for (std::uint64_t i = 1; i <= count; ++i) {
            while (there.load(std::memory_order_acquire) != i) {}
            back.store(i, std::memory_order_release);
        }
    });
    auto start = Clock::now();
    for (std::uint64_t i = 1; i <= count; ++i) {
        there.store(i, std::memory_order_release);
        while (back.load(std::memory_order_acquire) != i) {}
    }
    print("ping_pong", static_cast<double>(count) / seconds_since(start));
    other.join();
}

}  // namespace
}  // namespace bennu::bench

int main(int argc, char** argv) {
    using namespace bennu;
    using namespace bennu::bench;
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_runtime MODE [COUNT]\n");
        return 2;
    }
    std::string_view mode = argv[1];
    std::size_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
    if (mode == "ping_pong") {
        ping_pong(count);
        return 0;
    }
    unsigned shards = mode.starts_with("call_cross") || mode == "ten_million" ? 2 : 1;
    // A crash is logged as in a server: formatted by the shard, written by a thread beside it.
    if (!configure_log({.output = "/dev/null", .async = true})) return 1;
    return run({.shards = shards, .handle_signals = false},
               [&] [[clang::coro_wrapper]] () -> Task<Result<>> {
                   if (mode == "idle_bytes") return idle_bytes(count);
                   if (mode == "idle_bytes_supervised") return idle_bytes_supervised(count);
                   if (mode == "ten_million") return ten_million(count);
                   if (mode == "spawn_exit") return spawn_exit(count);
                   if (mode == "call_local") return call_local(count);
                   if (mode == "call_cross_1") return call_cross(count, 1);
                   if (mode == "call_cross_100") return call_cross(count, 100);
                   if (mode == "ring") return ring(count);
                   if (mode == "timers_1m") return timers(count);
                   if (mode == "restart") return restart(count);
                   std::fprintf(stderr, "no mode %s\n", argv[1]);
                   std::exit(2);
               });
}
