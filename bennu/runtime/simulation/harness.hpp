#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bennu/runtime/simulation.hpp"

namespace bennu::detail {

/// What a simulation test keeps about the `simulate` calls of one run of its body, and what it has
/// them do again. While one lives, `simulate` on this thread asks it.
class SimHarness {
  public:
    explicit SimHarness(std::optional<std::vector<SimFault>> plan = {}, std::size_t trace = 0);
    ~SimHarness();
    SimHarness(const SimHarness&) = delete;
    SimHarness& operator=(const SimHarness&) = delete;
    static SimHarness* current();

    /// For `simulate`: sets its faults and trace; which run of the body it is.
    std::uint32_t begin(SimOptions& options);
    SimOutcome keep(SimOutcome outcome);

    /// The faults of all runs.
    std::vector<SimFault> faults() const;
    const std::vector<SimOutcome>& outcomes() const { return outcomes_; }
    bool same_runs(const SimHarness& other) const;

  private:
    std::optional<std::vector<SimFault>> plan_;
    std::size_t trace_;
    std::uint32_t begun_ = 0;
    std::vector<SimOutcome> outcomes_;
    SimHarness* outer_;
};

/// A failing run of a simulation test.
struct SimFailure {
    std::string suite, name;
    std::uint64_t seed = 0;
    std::string message;  ///< what the test said
};

/// Reruns a failing test until its faults are few, writes the page, and says for people what to
/// know: how to replay it, which faults it takes, where the page is. `fails` runs the test's body
/// once, as told by the harness that lives then; true when it fails in the same way.
std::string explain_failure(const SimFailure& failure, const SimHarness& first,
                            const std::function<bool()>& fails);

/// The faults that `BENNU_SIM_FAULTS` asks for.
std::optional<std::vector<SimFault>> asked_faults();

/// The command that runs one seed of a test again, from the root of the source tree.
std::string replay_command(const SimFailure& failure);

/// From now on a run of the test that ends the whole program (a crash, a sanitizer's report) says
/// how to replay it. Null: no test runs.
void announce_on_crash(const SimFailure* failure);

}  // namespace bennu::detail
