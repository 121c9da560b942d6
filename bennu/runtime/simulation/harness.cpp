#include "bennu/runtime/simulation/harness.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "bennu/runtime/simulation/failure_page.hpp"
#include "bennu/runtime/simulation/replay.hpp"
#include "bennu/runtime/simulation/shrink.hpp"

namespace bennu::detail {

namespace {

constinit thread_local SimHarness* current_harness = nullptr;
constexpr std::size_t traced_events = 20'000;

std::string list_of(const std::vector<SimFault>& faults) {
    std::string text;
    for (const SimFault& fault : faults) text += "    " + fault.describe() + "\n";
    return text;
}

}  // namespace

SimHarness::SimHarness(std::optional<std::vector<SimFault>> plan, std::size_t trace)
    : plan_(std::move(plan)), trace_(trace), outer_(std::exchange(current_harness, this)) {}

SimHarness::~SimHarness() {
    current_harness = outer_;
}

SimHarness* SimHarness::current() {
    return current_harness;
}

std::uint32_t SimHarness::begin(SimOptions& options) {
    std::uint32_t run = begun_++;
    if (plan_) {
        options.plan.emplace();
        for (const SimFault& fault : *plan_) {
            if (fault.run == run) options.plan->push_back(fault);
        }
    }
    options.trace = std::max(options.trace, trace_);
    return run;
}

SimOutcome SimHarness::keep(SimOutcome outcome) {
    return outcomes_.emplace_back(std::move(outcome));
}

std::vector<SimFault> SimHarness::faults() const {
    std::vector<SimFault> all;
    for (const SimOutcome& outcome : outcomes_)
        all.insert(all.end(), outcome.faults.begin(), outcome.faults.end());
    return all;
}

bool SimHarness::same_runs(const SimHarness& other) const {
    return std::equal(
        outcomes_.begin(), outcomes_.end(), other.outcomes_.begin(), other.outcomes_.end(),
        [](const SimOutcome& a, const SimOutcome& b) { return a.digest == b.digest; });
}

std::string explain_failure(const SimFailure& failure, const SimHarness& first,
                            const std::function<bool()>& fails) {
    std::string text = fmt::format("\nsimulation {}.{} failed with seed {}\n", failure.suite,
                                   failure.name, failure.seed);
    text += "  replay: " + replay_command(failure) + "\n";
    std::vector<SimFault> faults = first.faults();
    auto fails_with = [&](const std::vector<SimFault>& fewer) {
        SimHarness again(fewer);
        return fails();
    };

    bool repeats = true;
    {
        SimHarness again(faults);
        repeats = fails();
        if (!again.same_runs(first))
            text += "  not the same run again: something in it does not follow from the seed\n";
    }
    if (!repeats) {
        text += "  it did not fail again\n";
    } else if (!faults.empty()) {
        Shrunk shrunk = shrink_faults(faults, fails_with);
        std::size_t count = shrunk.faults.size();
        std::string needed = count == 0   ? "none is needed"
                             : count == 1 ? "1 is enough"
                                          : std::to_string(count) + " are enough";
        text += fmt::format("  of {} faults {} ({} runs{}):\n", faults.size(), needed, shrunk.runs,
                            shrunk.minimal ? "" : ", stopped before the end");
        text += list_of(shrunk.faults);
        text += "  replay with these only: " + with_faults(failure, shrunk.faults) + "\n";
        faults = std::move(shrunk.faults);
    }

    SimHarness drawn(faults, traced_events);
    (void)fails();
    Result<std::string> page = write_failure_page(
        {failure, replay_command(failure), drawn.faults(), drawn.outcomes(), !repeats});
    if (page) {
        text += "  messages: " + *page + "\n";
    } else {
        text += "  no page with the messages: " + page.error().describe() + "\n";
    }
    return text + "\n";
}

std::optional<std::vector<SimFault>> asked_faults() {
    const char* text = std::getenv("BENNU_SIM_FAULTS");
    if (!text) return {};
    return parse_faults(text).value();
}

}  // namespace bennu::detail
