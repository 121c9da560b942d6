#pragma once

#include <string>

#include "bennu/runtime/ask_shard.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::detail {

/// Who starts the server whose constructor runs now: the running process, or, for one that is being
/// made on another shard, the process that asked for it.
Pid spawner();
class SpawningFor {
  public:
    explicit SpawningFor(Pid spawner);
    ~SpawningFor();
    SpawningFor(const SpawningFor&) = delete;
    SpawningFor& operator=(const SpawningFor&) = delete;

  private:
    Pid previous_;
};

/// Makes a process of this shard that ends when `parent`, of any shard, does.
Result<Pid> spawn_for(Pid parent, const ProcessType& type, void* body, const std::string& name);
/// Makes sure that the running process learns of the end of `pid`, and the other way round.
void ensure_linked(Pid pid);

/// Starts a server on another shard. From its first moment it ends when the running process does;
/// the other direction is the supervisor's to add.
template <typename S, typename... A>
Task<Result<Pid>> start_on(std::uint8_t shard, std::string name, A... args) {
    Result<Result<Pid>> made = co_await ask_shard<Result<Pid>>(
        shard, [parent = self(), name = std::move(name), args...]() mutable {
            SpawningFor spawning(parent);
            return spawn_for(parent, TypeOf<S>::type, new S{std::move(args)...}, name);
        });
    if (!made) co_return std::move(made).error();
    if (!*made) co_return std::move(*made).error();
    Pid pid = **made;
    if constexpr (requires(S& s) { s.init(); }) {
        Result<> ready = co_await InitCall(pid, &InitHandler<S>::type);
        if (!ready) co_return std::move(ready).error();
    }
    co_return pid;
}

}  // namespace bennu::detail
