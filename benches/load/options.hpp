#pragma once

#include <cstddef>
#include <string>

#include "benches/load/dialect.hpp"
#include "benches/load/swarm.hpp"

namespace bench {

/// The command line, within bounds that keep a mistyped number from taking the machine.
struct Options {
    Mode mode = Mode::broadcast;
    Swarm::Options swarm;
    DialectOptions dialect{.name = "phoenix", .topic = "room:bench"};
    int server_pid = 0;           ///< whose CPU and memory are watched, with its children
    std::size_t sockets = 1000;   ///< at most 19,900: a process opens 20,000 descriptors
    std::size_t messages = 1000;  ///< broadcast, late join: at most 1,000,000
    std::size_t in_flight = 1;    ///< broadcast: messages under way at once, at most 64
    double seconds =
        5;  ///< broadcast, echo: at most 60; ends earlier when the messages are through
    std::size_t cycles = 10'000;  ///< churn: connections that come and go
    std::size_t watchers = 100;   ///< presence: sockets that see who comes and goes
    double changes = 1000;        ///< presence: joins a second, and as many leaves
    /// idle: how long the sockets are held before memory is read; crowd: how long at the most they
    /// are held for a broadcast
    double hold = 3;
};

/// Throws std::invalid_argument with a message for people.
Options parse_options(int argc, char** argv);
std::string usage();

}  // namespace bench
