#include "benches/load/reconnect_modes.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

#include "benches/load/window.hpp"

namespace bench {

std::string run_storm(const Options& options, Swarm& swarm) {
    swarm.open(options.sockets);
    swarm.poll_for(options.hold);
    const auto calm = probe(options.server_pid);
    std::printf("{\"joined\":%zu}\n", swarm.size());
    std::fflush(stdout);

    int server_pid = 0;
    if (std::scanf("%d", &server_pid) != 1 || server_pid <= 0)
        throw std::runtime_error("a line with the process id of the new server was expected");
    swarm.close_all();
    Window window(server_pid);
    swarm.open(options.sockets);
    window.close();
    swarm.poll_for(options.hold);
    const auto after = probe(server_pid);
    swarm.poll_for(options.hold);
    const auto later = probe(server_pid);
    const auto sockets = static_cast<double>(options.sockets);
    return fmt::format(
        R"({{"mode":"channels-storm","sockets":{},"seconds":{:.3f},"joins_per_second":{:.0f},)"
        R"("server_cpu_us_each":{:.1f},"memory_calm":{},"memory_after":{},"memory_later":{},)"
        R"("generator_cpu_s":{:.2f},"limit":"{}"}})",
        options.sockets, window.seconds, sockets / window.seconds,
        window.server_cpu * 1e6 / sockets, calm.pss, after.pss, later.pss, window.own_cpu,
        window.generator_is_limit() ? "generator" : "server");
}

std::string run_churn(const Options& options, Swarm& swarm) {
    std::size_t rounds = 0;
    auto come_and_go = [&](std::size_t cycles) {
        for (std::size_t left = cycles; left > 0;) {
            const std::size_t now = std::min(left, options.sockets);
            swarm.open(now);
            ++rounds % 2 == 0 ? swarm.close_all() : swarm.reset_all();
            left -= now;
        }
    };
    // What a server makes once, and keeps for those who come next, is not a leak.
    come_and_go(std::max(options.cycles / 20, 2 * options.sockets));
    swarm.poll_for(options.hold);
    const auto before = probe(options.server_pid);
    Window window(options.server_pid);
    come_and_go(options.cycles);
    window.close();
    swarm.poll_for(options.hold);
    const auto after = probe(options.server_pid);
    const auto cycles = static_cast<double>(options.cycles);
    return fmt::format(
        R"({{"mode":"channels-churn","cycles":{},"seconds":{:.3f},"cycles_per_second":{:.0f},)"
        R"("server_cpu_us_each":{:.1f},"memory_before":{},"memory_after":{},)"
        R"("generator_cpu_s":{:.2f},"limit":"{}"}})",
        options.cycles, window.seconds, cycles / window.seconds, window.server_cpu * 1e6 / cycles,
        before.pss, after.pss, window.own_cpu,
        window.generator_is_limit() ? "generator" : "server");
}

}  // namespace bench
