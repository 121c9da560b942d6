#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/registry.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu {

namespace detail {
struct Groups;
std::shared_ptr<Groups> make_groups();
}  // namespace detail

/// What the shards of one runtime share. There is at most one runtime per OS process at a time.
class Runtime {
  public:
    using MakeReactor = std::function<std::unique_ptr<Reactor>(std::uint8_t shard)>;
    using MakeExecutor = std::function<std::unique_ptr<Executor>(ExecutorOptions)>;

    Runtime(unsigned shards, std::uint64_t seed, const MakeReactor& make_reactor,
            MakeExecutor make_executor);
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    static Runtime* current();

    std::uint8_t shard_count() const { return static_cast<std::uint8_t>(shards_.size()); }
    detail::Shard& shard(std::size_t index) { return *shards_[index]; }
    detail::Registry& names() { return names_; }
    detail::Groups& groups() { return *groups_; }
    Executor& default_executor() { return *default_executor_; }
    std::unique_ptr<Executor> make_executor(ExecutorOptions options) {
        return make_executor_(std::move(options));
    }

    /// Spawns the main process on shard 0; `finished` becomes true when it is gone. What it is
    /// linked with when `main` returns is stopped first, newest first, each within `grace`.
    void start_main(Function<Task<Result<>>()> main, Duration grace);
    void request_stop();
    void finish(int status);
    bool finished() const { return finished_.load(std::memory_order_acquire); }
    int status() const { return status_.load(); }

  private:
    MakeExecutor make_executor_;
    detail::Registry names_;
    std::shared_ptr<detail::Groups> groups_;
    std::vector<std::unique_ptr<detail::Ring>> rings_;
    std::unique_ptr<Executor> default_executor_;
    std::vector<std::unique_ptr<detail::Shard>> shards_;
    std::atomic<bool> finished_{false};
    std::atomic<int> status_{0};
};

}  // namespace bennu
