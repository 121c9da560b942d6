#include "bennu/net/client/retry.hpp"

#include <charconv>
#include <mutex>

#include "bennu/base/events.hpp"
#include "bennu/net/http_date.hpp"
#include "bennu/runtime/answer.hpp"

namespace bennu::net {

namespace {

constinit EventName retried{"net.client.retry"};

/// Earned by requests, spent by retries; shared by all shards.
class RetryBudget {
  public:
    explicit RetryBudget(const RetryOptions& options)
        : share_(options.budget), most_(options.burst), left_(options.burst) {}
    void earn() {
        std::lock_guard lock(mutex_);
        left_ = std::min(most_, left_ + share_);
    }
    bool spend() {
        std::lock_guard lock(mutex_);
        if (left_ < 1) return false;
        left_ -= 1;
        return true;
    }

  private:
    std::mutex mutex_;
    double share_, most_, left_;
};

bool may_repeat(Method method, Repeatable allowed) {
    switch (method) {
        case Method::get:
        case Method::head:
        case Method::options:
        case Method::trace:
            return true;
        case Method::put:
        case Method::delete_:
            return allowed != Repeatable::safe;
        default:
            return allowed == Repeatable::all;
    }
}

bool passes(const Result<ClientResponse>& answer) {
    if (!answer) {
        const Error& error = answer.error();
        return error.code() != "circuit_open" &&
               (error.kind() == ErrorKind::timeout || error.kind() == ErrorKind::unavailable ||
                error.kind() == ErrorKind::closed || error.kind() == ErrorKind::overloaded);
    }
    switch (answer->status) {
        case 408:
        case 429:
        case 500:
        case 502:
        case 503:
        case 504:
            return true;
        default:
            return false;
    }
}

std::optional<Duration> retry_after(const Result<ClientResponse>& answer) {
    if (!answer) return {};
    const std::string_view text = answer->headers.get("retry-after");
    std::uint32_t seconds = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (!text.empty() && failure == std::errc() && end == text.data() + text.size())
        return std::chrono::seconds(seconds);
    const Timestamp at = wall_now();
    if (std::optional<Timestamp> date = parse_http_date(text, at))
        return std::max(Duration::zero(), *date - at);
    return {};
}

class Retry : public Step {
  public:
    explicit Retry(RetryOptions options) : options_(options), budget_(options) {}

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        budget_.earn();
        for (int attempt = 1;; ++attempt) {
            Result<ClientResponse> answer = co_await next(request);
            if (!passes(answer) || attempt >= options_.attempts ||
                !may_repeat(request.method, options_.repeatable) || !request.upload.may_begin())
                co_return answer;
            const std::optional<Duration> asked = retry_after(answer);
            if (asked && *asked > options_.longest_retry_after) co_return answer;
            const Duration pause = asked ? *asked : back_off(attempt);
            if (request.deadline != Instant::max() && now() + pause >= request.deadline)
                co_return answer;
            if (!budget_.spend()) co_return answer;
            emit(retried, {{"attempt", attempt}, {"pause", pause}},
                 {{"status", answer ? answer->status : 0},
                  {"error", answer ? std::string_view() : answer.error().code()}});
            if (answer) answer->stream = {};  // nobody will read it
            co_await sleep(pause);
        }
    }

  private:
    Duration back_off(int attempt) const {
        Duration pause = options_.base;
        for (int i = 1; i < attempt && pause < options_.longest; ++i) pause *= 2;
        pause = std::min(pause, options_.longest);
        return pause / 2 + Duration(random().between(0, (pause / 2).count()));
    }

    RetryOptions options_;
    mutable RetryBudget budget_;
};

}  // namespace

StepPtr retry(RetryOptions options) {
    return std::make_shared<Retry>(options);
}

}  // namespace bennu::net
