#include "bennu/web/session/session_store.hpp"

namespace bennu {

MemorySessions::MemorySessions(MemorySessionOptions options)
    : table_({.name = {},
              .max_entries = options.max_sessions,
              .eviction = Eviction::least_recently_used}) {}

Task<Result<std::optional<std::string>>> MemorySessions::read(std::string key) {
    co_return table_.get(key);
}

Task<Result<>> MemorySessions::create(std::string key, std::string data, Duration ttl) {
    table_.put(std::move(key), std::move(data), {.ttl = ttl});
    co_return Result<>();
}

Task<Result<bool>> MemorySessions::replace(std::string key, std::string data, Duration ttl) {
    bool there = table_.update(key, [&](std::string& held) { held = data; });
    if (there) table_.expire(key, ttl);
    co_return there;
}

Task<Result<>> MemorySessions::erase(std::string key) {
    table_.erase(key);
    co_return Result<>();
}

}  // namespace bennu
