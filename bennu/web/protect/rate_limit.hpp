#pragma once

#include <memory>
#include <string>

#include "bennu/web/plug.hpp"
#include "bennu/web/protect/gcra_table.hpp"

namespace bennu {

/// Where rates are counted. Shared by all shards.
class RateLimitStore {
  public:
    virtual ~RateLimitStore() = default;
    /// Counts one for the key, if the rule allows it. A key always comes with the same rule. An
    /// error: the store cannot say.
    virtual Task<Result<RateDecision>> hit(std::string key, RateRule rule) = 0;
};

struct MemoryRatesOptions {
    /// Room for so many keys; with more at once, those that are far from their limit are forgotten.
    std::size_t keys = 100'000;
};

/// Rates in this program's memory: each node of a cluster counts by itself.
class MemoryRates final : public RateLimitStore {
  public:
    explicit MemoryRates(MemoryRatesOptions options = {});
    Task<Result<RateDecision>> hit(std::string key, RateRule rule) override;

  private:
    GcraTable table_;
    std::uint64_t seed_[2];
};

/// Whose requests are counted together; empty: this one is not limited.
using RateKey = Function<std::string(const Conn&) const>;
/// By the client's address, of IPv6 by its /64: a household has one, and 2^64 addresses.
std::string rate_key_by_ip(const Conn& conn);

struct RateLimitOptions {
    RateRule rule = {};
    /// In the headers, and part of the key, as the rule is: limits of one name and one rule share
    /// what they count.
    std::string name = "default";
    /// Default: `rate_key_by_ip`.
    RateKey key = {};
    /// Default: one MemoryRates for all limits without a store of their own.
    std::shared_ptr<RateLimitStore> store = {};
    /// What happens while the store cannot say: `allow` keeps the site up, `refuse` (503) the
    /// limit.
    enum class WithoutStore : std::uint8_t { allow, refuse } without_store = WithoutStore::allow;
};

/// Refuses those who ask too often (429, `rate_limited`, with Retry-After), and tells everybody how
/// they stand: `ratelimit-policy` and `ratelimit` as the IETF draft has them, and the three fields
/// of its early versions that clients know, `ratelimit-limit`, `-remaining` and `-reset`.
///
/// Several on one pipeline all count; the headers are those of the last that ran.
class RateLimit {
  public:
    /// A rule without a limit or a time is a fault.
    explicit RateLimit(RateLimitOptions options = {});
    Task<detail::PlugResult> before(Conn conn) const;
    /// Only a key of the app's own may.
    bool needs_body(const Conn&) const { return own_key_; }

  private:
    void tell(const Conn& conn, const RateDecision& decision) const;

    std::shared_ptr<const RateLimitOptions> options_;
    std::string policy_;
    std::string prefix_;  ///< of its keys: name and rule
    bool own_key_ = false;
};

}  // namespace bennu
