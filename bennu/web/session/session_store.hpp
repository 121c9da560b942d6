#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bennu/runtime/table/table.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu {

/// Where sessions live that a cookie only names. Keys are hashes of what the cookie holds: whoever
/// reads a store cannot become anybody. Shared by all shards. Errors become 503.
class SessionStore {
  public:
    virtual ~SessionStore() = default;
    /// Nothing when there is none, or it expired.
    virtual Task<Result<std::optional<std::string>>> read(std::string key) = 0;
    virtual Task<Result<>> create(std::string key, std::string data, Duration ttl) = 0;
    /// Writes over what is there; false when it is there no more, so that a request that was under
    /// way at a logout cannot bring its session back.
    virtual Task<Result<bool>> replace(std::string key, std::string data, Duration ttl) = 0;
    virtual Task<Result<>> erase(std::string key) = 0;
};

struct MemorySessionOptions {
    /// More push out those that were not used for the longest time.
    std::size_t max_sessions = 100'000;
};

/// Sessions in this program's memory, gone with it. Made by a process, they end with that process.
class MemorySessions final : public SessionStore {
  public:
    explicit MemorySessions(MemorySessionOptions options = {});

    Task<Result<std::optional<std::string>>> read(std::string key) override;
    Task<Result<>> create(std::string key, std::string data, Duration ttl) override;
    Task<Result<bool>> replace(std::string key, std::string data, Duration ttl) override;
    Task<Result<>> erase(std::string key) override;

    std::size_t size() const { return table_.size(); }

  private:
    Table<std::string, std::string> table_;
};

}  // namespace bennu
