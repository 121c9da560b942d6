#include "bennu/runtime/simulation.hpp"

#include <charconv>
#include <cstdlib>

#include "bennu/base/random.hpp"
#include "bennu/runtime/runtime_state.hpp"

namespace bennu {

namespace {

SimNetwork* current_network = nullptr;

/// Runs jobs inline, at seeded points of virtual time; one job at a time per thread that it stands
/// for.
class SimExecutor final : public Executor {
  public:
    SimExecutor(SimNetwork& network, ExecutorOptions options)
        : network_(network),
          options_(std::move(options)),
          busy_until_(std::max(1U, options_.threads)) {}
    ~SimExecutor() override { *alive_ = false; }

    bool submit(Function<void()> job) override {
        if (waiting_ >= options_.queue_limit) return false;
        ++waiting_;
        Instant& thread = *std::min_element(busy_until_.begin(), busy_until_.end());
        Duration work = std::chrono::microseconds(5 + network_.random().below(500));
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

SimNetwork* simulated_network() {
    return current_network;
}

SimOutcome simulate(SimOptions options, Function<Task<Result<>>()> main) {
    SimNetwork network(options.seed, options.faults);
    current_network = &network;
    SimOutcome outcome;
    Instant start = network.now();
    {
        Runtime runtime(
            options.shards, options.seed, [&](std::uint8_t) { return network.make_reactor(); },
            [&](ExecutorOptions executor) -> std::unique_ptr<Executor> {
                return std::make_unique<SimExecutor>(network, std::move(executor));
            });
        runtime.start_main(std::move(main));
        while (!runtime.finished()) {
            // Shards take turns in a seeded order until none has work left; only then does time
            // move on.
            bool any = false;
            std::uint64_t first = network.random().below(options.shards);
            for (unsigned i = 0; i < options.shards; ++i) {
                auto index = static_cast<std::size_t>((first + i) % options.shards);
                bool ran = runtime.shard(index).turn(detail::Shard::Polling::always);
                network.note(ran ? index + 1 : 0);
                any |= ran;
            }
            if (any || runtime.finished()) continue;
            Instant next = network.next_event();
            for (unsigned i = 0; i < options.shards; ++i)
                next = std::min(next, runtime.shard(i).next_deadline());
            if (next == Instant::max() || next - start > options.limit) {
                outcome.hung = true;
                break;
            }
            network.advance(std::max(next, network.now()));
        }
        outcome.status = runtime.finished() ? runtime.status() : 1;
    }
    outcome.virtual_time = network.now() - start;
    outcome.digest = network.digest();
    current_network = nullptr;
    return outcome;
}

std::vector<std::uint64_t> simulation_seeds(std::size_t count) {
    auto number = [](const char* text) {
        std::uint64_t value = 0;
        std::from_chars(text, text + std::string_view(text).size(), value);
        return value;
    };
    if (const char* one = std::getenv("BENNU_SIM_SEED")) return {number(one)};
    if (const char* many = std::getenv("BENNU_SIM_SEEDS")) count = number(many);
    std::vector<std::uint64_t> seeds;
    for (std::size_t i = 0; i < count; ++i)
        seeds.push_back(i < count / 2 ? i + 1 : secure_random_u64() >> 1);
    return seeds;
}

}  // namespace bennu
