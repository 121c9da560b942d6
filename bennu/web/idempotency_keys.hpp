#pragma once

#include "bennu/web/idempotency_store.hpp"
#include "bennu/web/plug.hpp"

namespace bennu {

struct IdempotencyOptions {
    /// Whose keys they are: the user, the tenant. Must tell apart everybody who must not see the
    /// answers of others. Empty: the request passes as if it had no key.
    Function<std::string(const Conn&) const> scope = {};
    /// What a request without a key gets: it passes, or 400.
    enum class WithoutKey : std::uint8_t { pass, refuse } without_key = WithoutKey::pass;
    /// How long an answer is given again.
    Duration ttl = std::chrono::hours(24);
    /// When a request that vanished is forgotten; longer than any takes.
    Duration running = std::chrono::minutes(5);
    /// A longer body is not kept, nor is a stream or a file: then the next one executes.
    std::size_t longest_answer = 256 << 10;
    std::vector<net::Method> methods = {net::Method::post, net::Method::patch};
    /// Default: a MemoryIdempotency of its own.
    std::shared_ptr<IdempotencyStore> store = {};
};

/// Makes repetitions harmless (draft-ietf-httpapi-idempotency-key-header): the first request with
/// an `Idempotency-Key` executes; another one gets the same answer, with `idempotency-replayed:
/// true`; one that comes while the first is under way 409 `request_in_progress`; one with the same
/// key and another method, path, query, type or body 422 `idempotency_key_reused`. A key that is
/// no string of 1 to 255 visible characters is 400.
///
/// Kept are the status, the headers that the action and the plugs after this one set (no cookies),
/// and the body. Not kept are 408, 409, 425, 429 and 5xx: the next attempt executes. So does one
/// after a fault, which may have done half of its work: what must not happen twice belongs into
/// a transaction. While the store cannot say: 503.
///
/// Stands after what says who asks, and not on routes with `stream_body` or `uploads`, where it is
/// a fault.
class IdempotencyKeys {
  public:
    /// Options without a scope are a fault.
    explicit IdempotencyKeys(IdempotencyOptions options);
    Task<detail::PlugResult> before(Conn conn) const;
    Task<> after(Conn conn, Response& response) const;

  private:
    std::shared_ptr<const IdempotencyOptions> options_;
};

}  // namespace bennu
