// The example of docs/howto/simulate-and-replay.md.
#include <gtest/gtest.h>

#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/simulation/link.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::sim_howto_test {

using namespace std::chrono_literals;

/// Books each order once, however often it is asked to.
struct Clerk : Server {
    struct Order {
        int number;
    };
    explicit Clerk(std::map<int, int>* b) : book(b) {}
    void handle(Order order) { book->try_emplace(order.number, 0).first->second = 1; }
    std::map<int, int>* book;
};

BENNU_SIM_TEST(Orders, each_is_booked_whatever_happens, sim) {
    sim.faults = {.kills = 2,
                  .suspends = 0.5,
                  .link_drops = 0.1,
                  .link_duplicates = 0.1,
                  .link_reorders = 0.1,
                  .until = 5s,
                  .victim = [](const ProcessInfo& info) { return info.name == "clerk"; }};
    std::map<int, int> book;
    SimOutcome outcome = simulate(sim, [&]() -> Task<Result<>> {
        std::vector<ChildSpec> children;
        children.push_back(child<Clerk>({.name = "clerk"}, &book));
        co_await require(supervise({.budget = {.restarts = 100}}, std::move(children)));
        SimLink link;
        for (int number = 0; number < 20; ++number) {
            while (!book.contains(number)) {
                link.cast(whereis<Clerk>("clerk"), Clerk::Order{number});
                co_await sleep(200ms);
            }
        }
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(book.size(), 20U);
}

}  // namespace bennu::sim_howto_test
