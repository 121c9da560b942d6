#include "bennu/net/client/concurrency_limit.hpp"

#include <deque>
#include <mutex>
#include <unordered_map>

#include "bennu/net/client/client_url.hpp"
#include "bennu/runtime/answer.hpp"

namespace bennu::net {

namespace {

/// Who waits for a place. It may go away after the place was given to it and before it has heard.
struct Waiter {
    detail::ReplyTo to;
    bool given = false;
};

/// The places of all origins. Any shard.
class Places {
  public:
    explicit Places(ConcurrencyLimit limit) : limit_(limit) {}
    const ConcurrencyLimit& limit() const { return limit_; }

    enum class Entry : std::uint8_t { in, queued, full };
    Entry enter(const std::string& origin, const std::shared_ptr<Waiter>& waiter) {
        std::lock_guard lock(mutex_);
        Line& line = lines_[origin];
        if (line.taken < limit_.per_origin) {
            ++line.taken;
            waiter->given = true;
            return Entry::in;
        }
        if (line.waiting.size() >= limit_.queue_limit) return Entry::full;
        line.waiting.push_back(waiter);
        return Entry::queued;
    }
    /// Whoever is to be woken by the name `to`; false when the place is there already.
    bool listen(Waiter& waiter, detail::ReplyTo to) {
        std::lock_guard lock(mutex_);
        waiter.to = to;
        return !waiter.given;
    }
    bool given(const Waiter& waiter) {
        std::lock_guard lock(mutex_);
        return waiter.given;
    }
    /// Out of the line, or out of the place, which the next one gets.
    void leave(const std::string& origin, const std::shared_ptr<Waiter>& waiter) {
        detail::ReplyTo woken;
        {
            std::lock_guard lock(mutex_);
            auto found = lines_.find(origin);
            if (found == lines_.end()) return;
            Line& line = found->second;
            if (!std::exchange(waiter->given, false)) {
                std::erase(line.waiting, waiter);
            } else if (line.waiting.empty()) {
                --line.taken;
            } else {
                const std::shared_ptr<Waiter> next = std::move(line.waiting.front());
                line.waiting.pop_front();
                next->given = true;
                woken = next->to;
            }
            if (line.taken == 0) lines_.erase(found);
        }
        detail::send_reply(woken, detail::Unit{});
    }

  private:
    struct Line {
        std::size_t taken = 0;
        std::deque<std::shared_ptr<Waiter>> waiting;
    };
    ConcurrencyLimit limit_;
    std::mutex mutex_;
    std::unordered_map<std::string, Line> lines_;
};

/// A place, or one in the line for it.
class Place {
  public:
    Place(std::shared_ptr<Places> places, std::string origin)
        : places_(std::move(places)), origin_(std::move(origin)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
        if (entered_) places_->leave(origin_, waiter_);
    }
    Places::Entry enter() {
        const Places::Entry entry = places_->enter(origin_, waiter_);
        entered_ = entry != Places::Entry::full;
        return entry;
    }
    bool given() const { return places_->given(*waiter_); }

    class [[nodiscard]] Wait : detail::Answer<detail::Unit> {
      public:
        Wait(Place& place, Instant until) : place_(place), until_(until) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> coroutine) {
            const detail::ReplyTo key = begin(coroutine, until_);
            if (!place_.places_->listen(*place_.waiter_, key))
                detail::send_reply(key, detail::Unit{});
        }
        void await_resume() { release(); }

      private:
        Place& place_;
        Instant until_;
    };

  private:
    std::shared_ptr<Places> places_;
    std::string origin_;
    std::shared_ptr<Waiter> waiter_ = std::make_shared<Waiter>();
    bool entered_ = false;
};

class ConcurrencyStep : public Step {
  public:
    explicit ConcurrencyStep(ConcurrencyLimit limit) : places_(std::make_shared<Places>(limit)) {}

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        ClientUrl url = co_await require(parse_client_url(request.url));
        auto place = std::make_shared<Place>(places_, url.origin());
        const Places::Entry entry = place->enter();
        if (entry == Places::Entry::full)
            co_return Error(ErrorKind::overloaded, "queue_full",
                            "too many requests wait for " + url.origin());
        if (entry == Places::Entry::queued) {
            const Instant until = std::min(request.deadline, now() + places_->limit().longest_wait);
            co_await Place::Wait(*place, until);
            if (!place->given()) co_return late(request.deadline);
        }
        Result<ClientResponse> answer = co_await next(std::move(request));
        if (answer && answer->stream) answer->stream.at_end([place](const BodyEnd&) {});
        co_return answer;
    }

  private:
    static Error late(Instant deadline) {
        if (now() >= deadline) return Error(ErrorKind::timeout, "timeout", "the time is up");
        return Error(ErrorKind::overloaded, "queue_timeout", "no place came free in time");
    }

    std::shared_ptr<Places> places_;
};

}  // namespace

StepPtr concurrency_limit(ConcurrencyLimit limit) {
    if (limit.per_origin == 0)
        throw std::invalid_argument("a concurrency limit of 0 lets nothing pass");
    return std::make_shared<ConcurrencyStep>(limit);
}

}  // namespace bennu::net
