#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bennu {

/// Fast, seedable random numbers (xoshiro256++). Not for secrets. One object belongs to one thread.
class Random {
  public:
    /// Equal seeds give equal sequences, on every machine.
    explicit Random(std::uint64_t seed);

    std::uint64_t next();
    /// Uniform in [0, n), without bias; n must not be 0.
    std::uint64_t below(std::uint64_t n);
    /// Uniform in [low, high], both included.
    std::int64_t between(std::int64_t low, std::int64_t high);
    /// Uniform in [0, 1).
    double uniform();
    /// True with the given probability.
    bool chance(double probability) { return uniform() < probability; }

    // What <random> and std::shuffle ask of a generator.
    using result_type = std::uint64_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return UINT64_MAX; }
    result_type operator()() { return next(); }

  private:
    std::array<std::uint64_t, 4> state_;
};

/// Fills `out` from the operating system's generator: keys, tokens, seeds. Aborts when the system
/// has none.
void secure_random(std::span<std::byte> out);
std::uint64_t secure_random_u64();

}  // namespace bennu
