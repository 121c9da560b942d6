#include "bennu/runtime/simulation.hpp"

#include <charconv>
#include <cstdlib>

#include "bennu/base/random.hpp"
#include "bennu/runtime/simulation/harness.hpp"
#include "bennu/runtime/simulation/world.hpp"

namespace bennu {

SimNetwork* simulated_network() {
    detail::SimWorld* world = detail::SimWorld::current();
    return world ? &world->network() : nullptr;
}

SimOutcome simulate(SimOptions options, Function<Task<Result<>>()> main) {
    detail::SimHarness* harness = detail::SimHarness::current();
    if (!harness) return detail::SimWorld(std::move(options), 0).run(std::move(main));
    std::uint32_t run = harness->begin(options);
    return harness->keep(detail::SimWorld(std::move(options), run).run(std::move(main)));
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
