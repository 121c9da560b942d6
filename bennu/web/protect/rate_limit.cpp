#include "bennu/web/protect/rate_limit.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/base/random.hpp"
#include "bennu/runtime/context.hpp"
#include "bennu/runtime/table/table_hash.hpp"
#include "bennu/web/protect/ip_address.hpp"

namespace bennu {

namespace {

inline constinit EventName refused{"web.rate_limit.refused"};

std::int64_t seconds_up(Duration duration) {
    return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

std::shared_ptr<RateLimitStore> shared_rates() {
    static const auto rates = std::make_shared<MemoryRates>();
    return rates;
}

bool is_key_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

}  // namespace

MemoryRates::MemoryRates(MemoryRatesOptions options)
    : table_(options.keys), seed_{secure_random_u64(), secure_random_u64()} {}

Task<Result<RateDecision>> MemoryRates::hit(std::string key, RateRule rule) {
    // Seeded on both sides of the mixing: who does not know the seed cannot aim at a line.
    std::uint64_t hash = TableHash<std::string>{}(key);
    hash = mix_hash(mix_hash(hash ^ seed_[0]) + seed_[1]);
    co_return table_.hit(hash, rule, now());
}

std::string rate_key_by_ip(const Conn& conn) {
    std::optional<IpAddress> address = IpAddress::parse(conn.remote_ip());
    if (!address) return std::string(conn.remote_ip());
    return (address->is_v4() ? *address : address->network(64)).to_string();
}

RateLimit::RateLimit(RateLimitOptions options) {
    if (options.rule.limit == 0 || options.rule.per <= Duration::zero()) {
        throw std::invalid_argument("a rate limit needs a limit and a time");
    }
    if (!is_key_name(options.name)) {
        throw std::invalid_argument("the name of a rate limit is of a-z, 0-9, - and _");
    }
    own_key_ = static_cast<bool>(options.key);
    if (!options.key) options.key = rate_key_by_ip;
    if (!options.store) options.store = shared_rates();
    policy_ = "\"" + options.name + "\";q=" + std::to_string(options.rule.limit) +
              ";w=" + std::to_string(seconds_up(options.rule.per));
    // What one rule has counted says nothing to another: a short time would be over before a long
    // one's debt.
    prefix_ = options.name + " " + std::to_string(options.rule.limit) + "/" +
              std::to_string(options.rule.per.count()) + "/" + std::to_string(options.rule.burst) +
              " ";
    options_ = std::make_shared<const RateLimitOptions>(std::move(options));
}

void RateLimit::tell(const Conn& conn, const RateDecision& decision) const {
    const std::string remaining = std::to_string(decision.remaining);
    const std::string reset = std::to_string(seconds_up(decision.reset));
    conn.put_header("ratelimit-policy", policy_);
    conn.put_header("ratelimit", "\"" + options_->name + "\";r=" + remaining + ";t=" + reset);
    conn.put_header("ratelimit-limit", std::to_string(options_->rule.limit));
    conn.put_header("ratelimit-remaining", remaining);
    conn.put_header("ratelimit-reset", reset);
}

Task<detail::PlugResult> RateLimit::before(Conn conn) const {
    std::string key = options_->key(conn);
    if (key.empty()) co_return std::nullopt;
    Result<RateDecision> decision = co_await options_->store->hit(prefix_ + key, options_->rule);
    if (!decision) {
        log_warning("a rate limit cannot be counted",
                    {{"limit", options_->name}, {"error", decision.error()}});
        if (options_->without_store == RateLimitOptions::WithoutStore::allow)
            co_return std::nullopt;
        co_return error(conn, decision.error(), {.status = 503});
    }
    tell(conn, *decision);
    if (decision->allowed) co_return std::nullopt;
    emit(refused, {{"retry_after", decision->retry_after}}, {{"limit", options_->name}});
    auto retry = std::max<std::int64_t>(seconds_up(decision->retry_after), 1);
    co_return error_status(conn, 429, "rate_limited", "Too many requests; try again later.")
        .with_header("retry-after", std::to_string(retry));
}

}  // namespace bennu
