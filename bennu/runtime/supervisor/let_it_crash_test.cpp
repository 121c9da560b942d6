// The snippets of docs/guide/let-it-crash.md, compiled and run: what the page says is what happens.
#include <gtest/gtest.h>

#include <charconv>

#include "bennu/base/log.hpp"
#include "bennu/runtime/insight/snapshot.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::let_it_crash_test {

using namespace std::chrono_literals;

struct Thermometer : Server {
    static constexpr MailboxOptions mailbox{.limit = 1000, .overflow = Overflow::drop_oldest};

    struct Reading {
        std::string text;
    };
    struct Average {
        using Reply = double;
    };
    void handle(Reading reading) {
        sum += std::stod(reading.text);  // throws when it is no number
        ++count;
    }
    double handle(Average) { return count == 0 ? 0.0 : sum / count; }

    double sum = 0;
    int count = 0;
};

struct Display : Server {
    struct Shown {
        using Reply = std::string;
    };
    Task<std::string> handle(Shown) {
        auto thermometer = whereis<Thermometer>("thermometer");
        auto average = co_await try_call(thermometer, Thermometer::Average{}, {.timeout = 1s});
        if (!average) co_return "no reading";
        co_return std::to_string(static_cast<int>(*average)) + " degrees";
    }
};

struct Uplink : Server {
    Task<Result<>> init() { co_return Error(ErrorKind::unavailable, "no_route"); }
};

struct Session : Server {
    struct Bye {};
    explicit Session(std::string name) : user(std::move(name)) {}
    void handle(Bye) { exit_self(); }
    Task<> terminate(ExitReason) { co_await sleep(10ms); }
    std::string user;
};

Task<Result<Ref<Supervisor>>> station() {
    std::vector<ChildSpec> children;
    children.push_back(child<Thermometer>({.name = "thermometer"}));
    children.push_back(child<Display>({.name = "display"}));
    children.push_back(child<DynamicSupervisor>({.name = "sessions"}));
    co_return co_await supervise({.name = "station"}, std::move(children));
}

Task<Result<Ref<Supervisor>>> careful_station(Function<Task<Result<Pid>>()> start_uplink) {
    ChildSpec uplink;
    uplink.id = "uplink";
    uplink.start = std::move(start_uplink);
    uplink.after = {"thermometer"};
    uplink.budget = RestartBudget{.restarts = 100, .within = 1h, .max_backoff = 1min};
    uplink.when_spent = WhenSpent::leave_down;

    std::vector<ChildSpec> children;
    children.push_back(child<Thermometer>({.id = "thermometer", .name = "thermometer"}));
    children.push_back(child<Display>({.id = "display", .name = "display"}));
    children.push_back(std::move(uplink));
    co_return co_await supervise({.strategy = rest_for_one, .order = StartOrder::parallel},
                                 std::move(children));
}

Task<Result<Pid>> log_in(std::string user) {
    auto sessions = whereis<DynamicSupervisor>("sessions");
    co_return co_await start_child(
        sessions, child<Session>({.restart = Restart::temporary, .shutdown = 2s}, user));
}

Result<double> parsed(const std::string& text) {
    double value = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size())
        return Error::field("reading", "not_a_number", "is not a number");
    return value;
}

Task<Result<std::size_t>> checksum_of(std::shared_ptr<const std::string> image) {
    co_return co_await offload([image] { return std::hash<std::string>{}(*image); });
}

Task<std::string> what_is_wrong() {
    std::string report;
    for (const TreeNode& root : co_await supervision_tree()) {
        for (const TreeNode& node : root.children) {
            if (node.restarts == 0) continue;
            report.append(node.id).append(" ").append(to_string(node.state));
            report.append(": ").append(node.last_exit).append("\n");
        }
    }
    RuntimeSnapshot snapshot = co_await bennu::runtime::snapshot({.top = 5});
    for (const ProcessInfo& process : snapshot.longest_mailboxes)
        report.append(process.name + ": " + std::to_string(process.mailbox) + " messages wait\n");
    co_return report;
}

void run_page(SimOptions options, Function<Task<Result<>>()> main) {
    LogCapture quiet;
    SimOutcome outcome = simulate(std::move(options), std::move(main));
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

BENNU_SIM_TEST(LetItCrash, a_bad_reading_costs_the_readings_and_nothing_else, options) {
    run_page(options, []() -> Task<Result<>> {
        auto tree = co_await require(station());
        auto thermometer = whereis<Thermometer>("thermometer");
        auto display = whereis<Display>("display");
        cast(thermometer, Thermometer::Reading{"21"});
        EXPECT_EQ(co_await call(display, Display::Shown{}), "21 degrees");

        cast(thermometer, Thermometer::Reading{"warm"});
        auto reason = co_await exit_of(thermometer.pid());
        EXPECT_NE(reason->describe().find("std::invalid_argument"), std::string::npos);
        EXPECT_EQ(co_await call(display, Display::Shown{}), "0 degrees");
        EXPECT_EQ(whereis<Display>("display"), display);
        EXPECT_NE(whereis<Thermometer>("thermometer"), thermometer);
        EXPECT_NE((co_await what_is_wrong()).find("running: fault"), std::string::npos);
        co_await stop_and_wait(tree.pid());
        co_return {};
    });
}

BENNU_SIM_TEST(LetItCrash, a_dependency_that_flaps_does_not_take_the_branch_down, options) {
    int attempts = 0;
    options.limit = 24h;
    run_page(options, [&]() -> Task<Result<>> {
        auto tree = co_await require(careful_station([&]() -> Task<Result<Pid>> {
            if (++attempts == 1) co_return spawn_with<Session>({.link = true}, "uplink").pid();
            auto started = co_await start<Uplink>({.link = true});
            if (!started) co_return std::move(started).error();
            co_return started->pid();
        }));
        auto display = whereis<Display>("display");
        cast(Ref<Session>((*co_await which_children(tree)).at(2).pid), Session::Bye{});
        co_await sleep(2h);
        EXPECT_GT(attempts, 50);
        EXPECT_EQ(whereis<Display>("display"), display);
        co_return {};
    });
}

BENNU_SIM_TEST(LetItCrash, sessions_come_and_go_and_results_are_for_what_is_expected, options) {
    run_page(options, []() -> Task<Result<>> {
        auto tree = co_await require(station());
        Pid ann = *co_await log_in("ann");
        EXPECT_TRUE(alive(ann));
        cast(Ref<Session>(ann), Session::Bye{});
        EXPECT_EQ((*co_await exit_of(ann)).kind(), ExitReason::Kind::normal);
        EXPECT_EQ(*parsed("2.5"), 2.5);
        EXPECT_FALSE(parsed("warm"));
        EXPECT_TRUE(co_await checksum_of(std::make_shared<const std::string>("image")));
        (void)co_await log_in("bob");
        co_await stop_and_wait(tree.pid());
        co_return {};
    });
}

}  // namespace bennu::let_it_crash_test
