#pragma once

#include <gtest/gtest.h>

#include "bennu/runtime/process.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu {

/// For tests: simulates `main` and expects it to end by itself and without an error.
inline void finishes(SimOptions options, Function<Task<Result<>>()> main) {
    SimOutcome outcome = simulate(options, std::move(main));
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
}

/// For tests: counts the frames (or captures) that hold one.
struct CountsAlive {
    explicit CountsAlive(int& c) : count(&c) { ++*count; }
    CountsAlive(CountsAlive&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
    CountsAlive& operator=(CountsAlive&&) = delete;
    ~CountsAlive() {
        if (count) --*count;
    }
    int* count;
};

}  // namespace bennu
