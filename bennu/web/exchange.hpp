#pragma once

#include <span>

#include "bennu/runtime/task.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/host_list.hpp"
#include "bennu/web/request_events.hpp"

namespace bennu::detail {

/// One request on its way through plugs and action, as steps that the endpoint's coroutine walks:
/// it awaits, this decides. Every fault becomes a response here. Destroyed before `finish`, the
/// request was cancelled. Private to this area.
class Exchange {
  public:
    Exchange(ConnState& state, const Router& router, const HostList& hosts);

    /// The next plug whose first half is due; nullptr once the pipeline is through or has ended.
    const Plug* next_plug();
    /// The action, when no plug answered; nullptr afterwards.
    const Action* next_action();

    /// Whether the body, which is still on its way, has to be received before the next step.
    bool body_due();
    void take_body(Contained<void> outcome);

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
    /// Makes the response ready to leave.
    void finish();

  private:
    /// Runs the plugs that find out who asks.
    void meet_client();
    void route();
    /// Ends the request here; plugs whose `before` is still due take no part in it.
    void refuse_now(Response why);
    /// Whether a plug's `before` may run although nobody will receive the body.
    bool runs_without_body(const Plug& plug) const;
    /// Among those of the route that may be under way; false when there is none left.
    bool take_place();
    const Plug* plug_at(std::size_t index) const;
    /// The next plug with a first half, which has not run yet.
    const Plug* due_plug();
    /// What answers when there is no route.
    Response answer_without_route();
    void fault(std::unique_ptr<Fault> fault);
    void fault_in_flight();
    void settle(PlugResult result);

    ConnState& state_;
    const Router& router_;
    const Pipeline* own_ = nullptr;     ///< of the route or the file mount
    std::size_t ran_ = 0;               ///< how many plugs had their turn
    std::optional<std::size_t> after_;  ///< the plugs before it are still to see the response
    bool routed_ = false;
    std::optional<Response> refusal_;  ///< the answer once the router's plugs let it pass
    bool refused_ = false;             ///< the response is that of no plug and of no action
    std::optional<Response> response_;
    RequestEvents events_;
};

}  // namespace bennu::detail
