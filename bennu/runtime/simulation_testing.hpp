#pragma once

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/simulation.hpp"
#include "bennu/runtime/simulation/harness.hpp"

namespace bennu {

/// For GoogleTest's messages.
inline void PrintTo(const SimFault& fault, std::ostream* out) {
    *out << fault.describe();
}

namespace detail {

/// The file and line of a failed assertion, and what it said.
struct FailedAssertion {
    std::string place, message;
};

inline std::optional<FailedAssertion> as_failed(const testing::TestPartResult& part) {
    if (!part.failed()) return {};
    const char* file = part.file_name() ? part.file_name() : "";
    return FailedAssertion{file + (":" + std::to_string(part.line_number())), part.message()};
}

/// The first one of the GoogleTest that runs now.
inline std::optional<FailedAssertion> first_failed_assertion() {
    const auto* result = testing::UnitTest::GetInstance()->current_test_info()->result();
    for (int i = 0; i < result->total_part_count(); ++i) {
        if (auto failed = as_failed(result->GetTestPartResult(i))) return failed;
    }
    return {};
}

using SimTestBody = std::function<void(SimOptions)>;

/// Runs the body once more, out of GoogleTest's sight; true when an assertion at `place` fails.
inline bool fails_again(const SimTestBody& body, std::uint64_t seed, const std::string& place) {
    testing::TestPartResultArray parts;
    {
        testing::ScopedFakeTestPartResultReporter unseen(
            testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &parts);
        LogCapture quiet(LogLevel::off);
        try {
            body(SimOptions{.seed = seed});
        } catch (...) {
            return place.empty();
        }
    }
    for (int i = 0; i < parts.size(); ++i) {
        if (auto failed = as_failed(parts.GetTestPartResult(i)); failed && failed->place == place)
            return true;
    }
    return false;
}

/// Runs the body with one seed after the other until it fails; explains that failure. Empty when
/// there was none.
inline std::string run_sim_test(
    const char* suite, const char* name, const SimTestBody& body,
    const std::function<std::optional<FailedAssertion>()>& failed = &first_failed_assertion) {
    int tried = 0;
    for (std::uint64_t seed : simulation_seeds()) {
        testing::Test::RecordProperty("seeds", std::to_string(++tried));
        SimFailure failure{suite, name, seed, {}};
        announce_on_crash(&failure);
        SimHarness first(asked_faults());
        std::string thrown;
        try {
            SCOPED_TRACE("replay: " + replay_command(failure));
            body(SimOptions{.seed = seed});
        } catch (const std::exception& exception) {
            thrown = std::string("the test's body threw: ") + exception.what();
        }
        announce_on_crash(nullptr);
        if (testing::Test::IsSkipped()) return {};
        std::optional<FailedAssertion> why = failed();
        if (!thrown.empty() && !why) why = FailedAssertion{{}, thrown};
        if (!why) continue;
        // Without GoogleTest's trace, which says what follows.
        failure.message = why->message.substr(0, why->message.find("\nGoogle Test trace:"));
        std::string text =
            explain_failure(failure, first, [&] { return fails_again(body, seed, why->place); });
        if (!thrown.empty()) ADD_FAILURE() << thrown;
        return text;
    }
    return {};
}

}  // namespace detail

/// `BENNU_SIM_TEST(Suite, name, sim) { … }`: a GoogleTest that runs its body once for each seed,
/// with `sim` holding options to change and pass to `simulate`. A failure prints the seed, how to
/// replay it, and the faults that it takes (the body is run again for that, up to a few hundred
/// times), and writes a page with the messages drawn as a sequence.
#define BENNU_SIM_TEST(suite, name, options)                                                   \
    static void bennu_sim_##suite##_##name(::bennu::SimOptions options);                       \
    TEST(suite, name) {                                                                        \
        std::fputs(                                                                            \
            ::bennu::detail::run_sim_test(#suite, #name, &bennu_sim_##suite##_##name).c_str(), \
            stdout);                                                                           \
    }                                                                                          \
    static void bennu_sim_##suite##_##name(::bennu::SimOptions options)

/// For tests: simulates `main` and expects it to end by itself and without an error.
inline void finishes(SimOptions options, Function<Task<Result<>>()> main) {
    SimOutcome outcome = simulate(std::move(options), std::move(main));
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
}

/// For tests: counts the frames (or captures) that hold one.
struct CountsAlive {
    explicit CountsAlive(int& c) : count(&c) { ++*count; }
    CountsAlive(CountsAlive&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
    CountsAlive& operator=(CountsAlive&&) = delete;
    ~CountsAlive() {
        if (count) --*count;
    }
    int* count;
};

}  // namespace bennu
