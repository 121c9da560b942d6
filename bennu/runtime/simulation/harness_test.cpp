// What a failing simulation test says, with a test that fails inside of one.
#include "bennu/runtime/simulation/harness.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::sim_harness_test {

using namespace std::chrono_literals;

/// Sets an environment variable while it lives.
class Environment {
  public:
    Environment(const char* name, const std::string& value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old;
        ::setenv(name, value.c_str(), 1);
    }
    ~Environment() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    const char* name_;
    std::optional<std::string> old_;
};

struct Failed {
    std::string text;  ///< what it says
    std::string page;
    int assertions = 0;  ///< that GoogleTest gets to see
};

/// Runs a simulation test that may fail, out of GoogleTest's sight.
Failed run_failing(const detail::SimTestBody& body, const char* name = "fails") {
    std::filesystem::path pages =
        std::filesystem::temp_directory_path() / ("bennu-sim-pages-" + std::to_string(::getpid()));
    Environment folder("BENNU_SIM_PAGES", pages.string());
    Failed failed;
    testing::TestPartResultArray parts;
    {
        testing::ScopedFakeTestPartResultReporter unseen(
            testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &parts);
        LogCapture quiet(LogLevel::off);
        failed.text = detail::run_sim_test(
            "Inner", name, body, [&parts]() -> std::optional<detail::FailedAssertion> {
                for (int i = 0; i < parts.size(); ++i) {
                    if (auto part = detail::as_failed(parts.GetTestPartResult(i))) return part;
                }
                return {};
            });
    }
    failed.assertions = parts.size();
    if (std::filesystem::exists(pages)) {
        for (const auto& entry : std::filesystem::directory_iterator(pages)) {
            EXPECT_TRUE(entry.path().filename().string().starts_with("Inner." + std::string(name)));
            std::ostringstream text;
            text << std::ifstream(entry.path()).rdbuf();
            failed.page = text.str();
        }
        std::filesystem::remove_all(pages);
    }
    return failed;
}

struct Account : Server {
    struct Deposit {};
    struct Balance {
        using Reply = int;
    };
    void handle(Deposit) { ++balance; }
    int handle(Balance) { return balance; }
    int balance = 0;
};

/// Deposits ten times and expects ten: a restart in between loses what was there.
void deposits(SimOptions options) {
    options.faults = {.kills = 2, .clock_jumps = 40, .until = 2s, .victim = [](const auto& info) {
                          return info.name == "account";
                      }};
    int balance = 0;
    simulate(options, [&]() -> Task<Result<>> {
        std::vector<ChildSpec> specs;
        specs.push_back(child<Account>({.id = "account", .name = "account"}));
        co_await require(supervise({.budget = {.restarts = 1000}}, std::move(specs)));
        for (int i = 0; i < 10; ++i) {
            co_await sleep(200ms);
            cast(whereis<Account>("account"), Account::Deposit{});
        }
        co_await sleep(5s);
        balance = co_await call(whereis<Account>("account"), Account::Balance{});
        co_return {};
    });
    EXPECT_EQ(balance, 10);
}

TEST(SimHarness, a_failure_says_how_to_replay_it_and_which_faults_it_takes) {
    Environment one_seed("BENNU_SIM_SEED", "3");
    Failed failed = run_failing(&deposits);
    EXPECT_EQ(failed.assertions, 1);
    EXPECT_NE(failed.text.find("simulation Inner.fails failed with seed 3\n"), std::string::npos)
        << failed.text;
    EXPECT_NE(failed.text.find("BENNU_SIM_SEED=3 build/"), std::string::npos) << failed.text;
    EXPECT_NE(failed.text.find("--gtest_filter=Inner.fails\n"), std::string::npos);
    EXPECT_NE(failed.text.find(" faults 1 is enough ("), std::string::npos) << failed.text;
    EXPECT_NE(failed.text.find("    kill at "), std::string::npos) << failed.text;
    EXPECT_EQ(failed.text.find("clock_jump"), std::string::npos);
    EXPECT_NE(failed.text.find("BENNU_SIM_FAULTS='kill:0:"), std::string::npos);
    EXPECT_NE(failed.page.find("sim_harness_test::Account::Deposit"), std::string::npos);
    EXPECT_NE(failed.page.find("kill: "), std::string::npos);
}

TEST(SimHarness, faults_can_be_asked_for_by_text) {
    Environment one_seed("BENNU_SIM_SEED", "3");
    {
        Environment faults("BENNU_SIM_FAULTS", "");
        EXPECT_EQ(run_failing(&deposits).text, "");
    }
    Environment faults("BENNU_SIM_FAULTS", "kill:0:1500000000:0:0:0:account");
    Failed failed = run_failing(&deposits);
    EXPECT_NE(failed.text.find("of 1 faults 1 is enough"), std::string::npos) << failed.text;
}

TEST(SimHarness, a_test_that_passes_says_nothing) {
    int runs = 0;
    Failed passed = run_failing([&](SimOptions) { ++runs; });
    EXPECT_EQ(passed.text, "");
    EXPECT_EQ(passed.page, "");
    EXPECT_GE(runs, 1);
}

TEST(SimHarness, a_failure_after_two_runs_shows_both) {
    Environment one_seed("BENNU_SIM_SEED", "8");
    Failed failed = run_failing([](SimOptions options) {
        options.faults = {.clock_jumps = 1};
        std::vector<std::uint64_t> digests;
        for (const char* name : {"first-run", "second-run"}) {
            digests.push_back(simulate(options, [name]() -> Task<Result<>> {
                                  spawn_with<Account>({.name = name});
                                  co_await sleep(10s);
                                  co_return {};
                              }).digest);
        }
        EXPECT_EQ(digests.size(), options.seed) << "</script><b>";
    });
    EXPECT_NE(failed.page.find("first-run"), std::string::npos);
    EXPECT_NE(failed.page.find("second-run"), std::string::npos);
    EXPECT_EQ(failed.page.find("</script><b>"), std::string::npos);
    EXPECT_NE(failed.text.find(" faults none is needed (1 runs):"), std::string::npos)
        << failed.text;
}

TEST(SimHarness, what_does_not_follow_from_the_seed_is_noticed) {
    int runs = 0;
    Failed failed = run_failing([&runs](SimOptions options) {
        ++runs;
        simulate(options, [&runs]() -> Task<Result<>> {
            for (int i = 0; i < runs; ++i) co_await sleep(1s);
            co_return {};
        });
        EXPECT_NE(runs, 1);
    });
    EXPECT_NE(failed.text.find("not the same run again"), std::string::npos) << failed.text;
    EXPECT_NE(failed.text.find("it did not fail again"), std::string::npos) << failed.text;
}

TEST(SimHarness, an_exception_of_the_body_is_a_failure) {
    Failed failed = run_failing([](SimOptions) { throw std::runtime_error("of the body"); });
    EXPECT_EQ(failed.assertions, 1);
    EXPECT_NE(failed.text.find("simulation Inner.fails failed"), std::string::npos);
    EXPECT_NE(failed.page.find("of the body"), std::string::npos);
}

TEST(SimHarness, a_folder_that_cannot_be_written_is_said) {
    detail::SimFailure failure{"Inner", "fails", 1, "why"};
    Environment folder("BENNU_SIM_PAGES", "/proc/none");
    detail::SimHarness first;
    EXPECT_NE(detail::explain_failure(failure, first, [] { return true; })
                  .find("no page with the messages: "),
              std::string::npos);
}

TEST(SimHarness, a_crash_says_how_to_replay_it) {
    Environment one_seed("BENNU_SIM_SEED", "5");
    EXPECT_DEATH(run_failing([](SimOptions) { std::abort(); }),
                 "in a simulation; replay: BENNU_SIM_SEED=5 build/.*--gtest_filter=Inner.fails");
}

}  // namespace bennu::sim_harness_test
