#pragma once

#include <span>

#include "bennu/runtime/task.hpp"
#include "bennu/web/conn_state.hpp"

namespace bennu::detail {

/// One request on its way through plugs and action, as steps that the endpoint's coroutine walks:
/// it awaits, this decides. Every fault becomes a response here. Private to this area.
class Exchange {
  public:
    Exchange(ConnState& state, const Router& router);

    /// The next plug whose first half is due; nullptr once the pipeline is through or has ended.
    const Plug* next_plug();
    /// The action, when no plug answered; nullptr afterwards.
    const Action* next_action();

    void run(const Plug& plug);
    void run(const Action& action);
    void take(Contained<PlugResult> outcome);
    void take(Contained<Response> outcome);

    /// How long the action may take; zero: as long as it likes.
    Duration time_limit() const;
    void take(Contained<Result<Response>> outcome);

    /// The next plug whose second half is due, in reverse order; nullptr after the first one.
    const Plug* next_after();
    void run_after(const Plug& plug);
    void take_after(Contained<void> outcome);
    Response& response() { return *response_; }
    /// The response, ready to leave.
    Response finish();

  private:
    void route();
    const Plug* plug_at(std::size_t index) const;
    /// What answers when there is no route.
    Response answer_without_route();
    void fault(std::unique_ptr<Fault> fault);
    void fault_in_flight();
    void settle(PlugResult result);

    ConnState& state_;
    const Router& router_;
    const Pipeline* own_ = nullptr;  ///< of the route or the file mount
    std::size_t ran_ = 0;
    bool refused_ = false;
    std::optional<Response> response_;
};

}  // namespace bennu::detail
