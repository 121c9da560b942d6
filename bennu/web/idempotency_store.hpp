#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "bennu/base/time.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu {

/// Whose key it is, and which. The same key of two scopes has nothing in common.
struct IdempotencyKey {
    std::string scope;
    std::string key;
};

/// An answer as it is given again.
struct StoredAnswer {
    int status = 200;
    net::Headers headers = {};
    std::string body = {};
};

/// What a store knows of a key when a request comes with it.
struct IdempotencyState {
    enum class Kind : std::uint8_t {
        claimed,   ///< nothing, and now it is this request's: it executes
        running,   ///< another request with it is under way
        answered,  ///< it was executed
        other,     ///< it belongs to a request that was not the same
    };
    Kind kind = Kind::claimed;
    std::uint64_t claim = 0;   ///< names this request to `finish` and `abandon`
    StoredAnswer answer = {};  ///< of `answered`
};

/// Where the answers of requests with an Idempotency-Key are kept. Shared by all shards.
class IdempotencyStore {
  public:
    virtual ~IdempotencyStore() = default;
    /// Looks the key up, and claims it when nobody has it, in one step. A claim lasts for
    /// `running`, should its holder vanish. An error: the store cannot say.
    virtual Task<Result<IdempotencyState>> begin(IdempotencyKey key, std::string fingerprint,
                                                 Duration running) = 0;
    /// The claimed request was answered so; kept for `ttl`. Nothing happens when the claim is gone.
    virtual Task<Result<>> finish(IdempotencyKey key, std::uint64_t claim, StoredAnswer answer,
                                  Duration ttl) = 0;
    /// The claimed request has no answer to keep; the next one with the key executes. Does not
    /// wait.
    virtual void abandon(const IdempotencyKey& key, std::uint64_t claim) = 0;
};

struct MemoryIdempotencyOptions {
    /// At most so many keys, and bytes, of all scopes; the oldest answers make room. When none is
    /// left to make room, `begin` is `overloaded`.
    std::size_t keys = 100'000;
    std::size_t bytes = std::size_t{64} << 20;
    /// And of one scope, so that nobody pushes out what others need.
    std::size_t keys_per_scope = 10'000;
    std::size_t bytes_per_scope = std::size_t{8} << 20;
};

/// Answers in this program's memory: each node of a cluster knows its own, and none after a
/// restart.
class MemoryIdempotency final : public IdempotencyStore {
  public:
    explicit MemoryIdempotency(MemoryIdempotencyOptions options = {});
    ~MemoryIdempotency() override;

    Task<Result<IdempotencyState>> begin(IdempotencyKey key, std::string fingerprint,
                                         Duration running) override;
    Task<Result<>> finish(IdempotencyKey key, std::uint64_t claim, StoredAnswer answer,
                          Duration ttl) override;
    void abandon(const IdempotencyKey& key, std::uint64_t claim) override;

    /// What it holds now.
    std::size_t keys() const;
    std::size_t bytes() const;

  private:
    class Table;
    std::unique_ptr<Table> table_;
};

}  // namespace bennu
