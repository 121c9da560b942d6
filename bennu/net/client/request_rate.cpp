#include "bennu/net/client/request_rate.hpp"

#include <mutex>

#include "bennu/runtime/answer.hpp"

namespace bennu::net {

namespace {

class RateStep : public Step {
  public:
    explicit RateStep(RequestRate rate)
        : rate_(rate),
          spacing_(static_cast<std::int64_t>(1e9 / rate.per_second)),
          slack_(static_cast<std::int64_t>(1e9 / rate.per_second * (rate.burst - 1))) {}

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        const std::optional<Duration> pause = take_turn(request.deadline);
        if (!pause)
            co_return Error(ErrorKind::overloaded, "rate_limited",
                            "the turn of this request comes too late");
        if (*pause > Duration::zero()) co_await sleep(*pause);
        Result<ClientResponse> answer = co_await next(std::move(request));
        co_return answer;
    }

  private:
    /// How long until this request's turn; nothing when that is too long, and then no turn is used.
    std::optional<Duration> take_turn(Instant deadline) const {
        std::lock_guard lock(mutex_);
        const Instant at = now();
        const Instant due = std::max(next_, at - slack_);
        const Duration pause = std::max(Duration::zero(), due - at);
        if (pause > rate_.longest_wait || at + pause >= deadline) return {};
        next_ = due + spacing_;
        return pause;
    }

    RequestRate rate_;
    Duration spacing_, slack_;
    mutable std::mutex mutex_;
    mutable Instant next_{INT64_MIN / 2};
};

}  // namespace

StepPtr request_rate(RequestRate rate) {
    if (!(rate.per_second > 0) || !(rate.burst >= 1))
        throw std::invalid_argument("a rate needs more than 0 a second and a burst of at least 1");
    return std::make_shared<RateStep>(rate);
}

}  // namespace bennu::net
