#include <gtest/gtest.h>
#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"
namespace bennu::zz_demo {
using namespace std::chrono_literals;
struct Store : Server {
    struct Put {
        using Reply = int;
        int value;
    };
    struct Get {
        using Reply = int;
    };
    Task<int> handle(Put m) {
        co_await offload([] {});
        total += m.value;
        co_return total;
    }
    int handle(Get) { return total; }
    int total = 0;
};
struct Account : Server {
    explicit Account(int i) : index(i) {}
    struct Deposit {
        int amount;
    };
    struct Balance {
        using Reply = int;
    };
    Task<> handle(Deposit m) {
        balance += m.amount;
        (void)co_await try_call(whereis<Store>("store"), Store::Put{m.amount}, {.timeout = 50ms});
    }
    int handle(Balance) { return balance; }
    int index, balance = 0;
};
BENNU_SIM_TEST(Demo, deposits_are_not_lost, sim) {
    sim.faults = {.kills = 1,
                  .clock_jumps = 5,
                  .slow_jobs = 0.05,
                  .until = 3s,
                  .victim = [](const auto& info) { return info.name.starts_with("account"); }};
    int sum = 0;
    simulate(sim, [&]() -> Task<Result<>> {
        std::vector<ChildSpec> specs;
        specs.push_back(child<Store>({.id = "store", .name = "store"}));
        for (int i = 0; i < 3; ++i)
            specs.push_back(child<Account>({.id = "account" + std::to_string(i),
                                            .name = "account" + std::to_string(i),
                                            .shard = static_cast<std::uint8_t>(i % 2)},
                                           i));
        co_await require(
            supervise({.name = "bank", .budget = {.restarts = 1000}}, std::move(specs)));
        for (int i = 0; i < 120; ++i) {
            co_await sleep(Duration(random().below(30'000'000)));
            cast(whereis<Account>("account" + std::to_string(i % 3)), Account::Deposit{1});
        }
        co_await sleep(5s);
        for (int i = 0; i < 3; ++i)
            sum +=
                co_await call(whereis<Account>("account" + std::to_string(i)), Account::Balance{});
        co_return {};
    });
    EXPECT_EQ(sum, 120);
}
}  // namespace bennu::zz_demo
