#pragma once

#include "bennu/runtime/task.hpp"
#include "bennu/web/conn_state.hpp"

namespace bennu::detail {

/// What telemetry hears of one request, of its first step to its last: `web.request.start`, for its
/// first fault `.exception`, and at the end `.stop`. From where its action begins until the
/// response is ready `web.route.start`, then one of `.stop` and `.exception`. A request that never
/// gets to `stop`, because its process was ended, is told with kind `exit`. Lives while the request
/// does, on its shard.
class RequestEvents {
  public:
    explicit RequestEvents(ConnState& state);
    RequestEvents(const RequestEvents&) = delete;
    RequestEvents& operator=(const RequestEvents&) = delete;
    ~RequestEvents();

    void action_begins();
    void fault(const Fault& fault);
    /// The response is ready.
    void stop(const Response& response);

    /// Both ends of a request that never got so far: the server answered it itself.
    static void refused(const net::RefusedRequest& request);

  private:
    void exception(std::string_view kind, std::string_view reason);
    void stop(int status, std::uint64_t bytes);
    std::string_view route() const;

    ConnState& state_;
    Instant action_began_;
    bool in_action_ = false;
    bool failed_ = false;
    bool stopped_ = false;
};

}  // namespace bennu::detail
