#include "bennu/net/client/oauth2.hpp"

#include <mutex>

#include "bennu/base/bytes.hpp"
#include "bennu/base/events.hpp"
#include "bennu/net/url.hpp"
#include "bennu/runtime/answer.hpp"

namespace bennu::net {

namespace {

constinit EventName token_fetched{"net.client.oauth2_token"};

/// The token that all shards share, and who waits for the next one. Guarded, since calls of all
/// shards come here; never locked across a suspension.
class TokenBox {
  public:
    /// The token, if it is good for a while.
    std::optional<std::string> current(Instant now) const {
        std::lock_guard lock(mutex_);
        if (token_.empty() || now >= renew_at_) return std::nullopt;
        return token_;
    }
    void put(std::string token, Instant renew_at) {
        std::lock_guard lock(mutex_);
        token_ = std::move(token);
        renew_at_ = renew_at;
    }
    void forget(std::string_view refused) {
        std::lock_guard lock(mutex_);
        if (token_ == refused) token_.clear();
    }

    /// The right to fetch one; false when somebody does already.
    bool claim() {
        std::lock_guard lock(mutex_);
        return !std::exchange(fetching_, true);
    }
    void release() {
        std::vector<detail::ReplyTo> waiting;
        {
            std::lock_guard lock(mutex_);
            fetching_ = false;
            waiting.swap(waiting_);
        }
        for (detail::ReplyTo to : waiting) detail::send_reply(to, detail::Unit{});
    }
    /// False when nobody fetches any more.
    bool wait(detail::ReplyTo to) {
        std::lock_guard lock(mutex_);
        if (!fetching_) return false;
        waiting_.push_back(to);
        return true;
    }

  private:
    mutable std::mutex mutex_;
    std::string token_;
    Instant renew_at_;
    bool fetching_ = false;
    std::vector<detail::ReplyTo> waiting_;
};

/// Suspends until who fetches is done, however that ends, or until the deadline.
class [[nodiscard]] Fetched : detail::Answer<detail::Unit> {
  public:
    Fetched(TokenBox& box, Instant deadline) : box_(box), deadline_(deadline) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        const detail::ReplyTo key = begin(coroutine, deadline_);
        if (!box_.wait(key)) detail::send_reply(key, detail::Unit{});
    }
    void await_resume() { release(); }

  private:
    TokenBox& box_;
    Instant deadline_;
};

/// Held while a token is fetched; a call that is cancelled meanwhile lets another one try.
class Claim {
  public:
    explicit Claim(TokenBox& box) : box_(box) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { box_.release(); }

  private:
    TokenBox& box_;
};

std::string basic_credentials(const OAuth2Options& options) {
    // Both are form-encoded before they are joined: RFC 6749, 2.3.1.
    return "Basic " + base64_encode(percent_encode(options.client_id) + ":" +
                                    percent_encode(options.client_secret.reveal()));
}

class ClientCredentials : public Step {
  public:
    ClientCredentials(HttpClient tokens, OAuth2Options options)
        : tokens_(std::move(tokens)), options_(std::move(options)) {}

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        if (request.headers.contains("authorization")) co_return co_await next(std::move(request));
        for (bool again = false;; again = true) {
            std::string token = co_await require(this->token(request.deadline));
            ClientRequest sent = request;
            sent.headers.set("authorization", "Bearer " + token);
            Result<ClientResponse> answer = co_await next(std::move(sent));
            if (again || !answer || answer->status != 401) co_return answer;
            if (!request.upload.may_begin()) {
                box_.forget(token);
                co_return answer;
            }
            box_.forget(token);
        }
    }

  private:
    Task<Result<std::string>> token(Instant deadline) const {
        while (true) {
            if (auto good = box_.current(now())) co_return std::move(*good);
            if (now() >= deadline)
                co_return Error(ErrorKind::timeout, "timeout", "no token came in time");
            if (box_.claim()) {
                Claim claim(box_);
                co_return co_await fetch();
            }
            co_await Fetched(box_, deadline);
        }
    }

    Task<Result<std::string>> fetch() const {
        Json form = Json::object({{"grant_type", "client_credentials"}});
        if (!options_.scope.empty()) form.set("scope", options_.scope);
        for (const auto& [name, value] : options_.parameters) form.set(name, value);
        const Instant asked = now();
        ClientResponse answer = co_await require(tokens_.post(
            options_.token_url, {.headers = {{"authorization", basic_credentials(options_)},
                                             {"accept", "application/json"}},
                                 .form = std::move(form),
                                 .timeout = options_.timeout}));
        Result<Json> body = answer.json();
        const auto token = body ? body->get<std::string>("access_token") : std::nullopt;
        emit(token_fetched, {{"duration", now() - asked}}, {{"status", answer.status}});
        if (!answer.ok() || !token || !Headers::valid_value(*token)) {
            co_return Error(ErrorKind::unauthorized, "oauth2_refused",
                            "the token server answered " + std::to_string(answer.status) +
                                " and gave no token");
        }
        Duration lifetime = options_.default_lifetime;
        if (auto seconds = body->get<std::int64_t>("expires_in"))
            lifetime = std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, 365 * 86400));
        // One that is short-lived is used for half of its life at the least.
        box_.put(*token, asked + std::max(lifetime - options_.renew_before, lifetime / 2));
        co_return *token;
    }

    HttpClient tokens_;
    OAuth2Options options_;
    mutable TokenBox box_;
};

}  // namespace

StepPtr oauth2_client_credentials(HttpClient tokens, OAuth2Options options) {
    return std::make_shared<ClientCredentials>(std::move(tokens), std::move(options));
}

}  // namespace bennu::net
