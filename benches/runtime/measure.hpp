#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "bennu/runtime/process.hpp"

/// What the figures of the runtime share.
namespace bennu::bench {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start);
/// Of the whole program, user and system.
double cpu_seconds();
std::size_t resident_bytes();
void print(const char* name, double value);

/// A process with 24 bytes of its own.
struct Idle : Server {
    struct Ping {};
    void handle(Ping) { ++pings; }
    std::uint64_t pings = 0;
    std::uint64_t spare[2] = {};
};

Task<Result<>> idle_bytes(std::size_t count);
Task<Result<>> idle_bytes_supervised(std::size_t count);
Task<Result<>> ten_million(std::size_t count);

}  // namespace bennu::bench
