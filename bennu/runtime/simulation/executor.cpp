#include "bennu/runtime/simulation/executor.hpp"

namespace bennu::detail {

namespace {

class SimExecutor final : public Executor {
  public:
    SimExecutor(SimNetwork& network, ExecutorOptions options)
        : network_(network),
          options_(std::move(options)),
          busy_until_(std::max(1U, options_.threads)) {}
    ~SimExecutor() override { *alive_ = false; }

    bool submit(Function<void()> job) override {
        MustAllocate beside_the_shards;
        Duration work = std::chrono::microseconds(5 + network_.random().below(500));
        FaultSource& faults = network_.faults();
        auto fault = faults.step(FaultStep::job, network_.since_start());
        bool refused = fault && fault->kind == FaultKind::refused_job;
        if (fault) {
            if (!refused) work += fault->amount;
            faults.struck(std::move(*fault), "executor " + options_.name);
        }
        if (refused || waiting_ >= options_.queue_limit) return false;
        ++waiting_;
        Instant& thread = *std::min_element(busy_until_.begin(), busy_until_.end());
        thread = std::max(thread, network_.now()) + work;
        auto shared = std::make_shared<Function<void()>>(std::move(job));
        network_.after(thread - network_.now(), [this, alive = alive_, shared] {
            if (!*alive) return;
            --waiting_;
            (*shared)();
        });
        return true;
    }

  private:
    SimNetwork& network_;
    ExecutorOptions options_;
    std::vector<Instant> busy_until_;
    std::size_t waiting_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Executor> make_sim_executor(SimNetwork& network, ExecutorOptions options) {
    return std::make_unique<SimExecutor>(network, std::move(options));
}

}  // namespace bennu::detail
