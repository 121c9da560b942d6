#pragma once

#include "benches/load/latencies.hpp"
#include "benches/load/process_probe.hpp"

namespace bench {

/// Wall time and CPU between two moments.
class Window {
  public:
    explicit Window(int server_pid)
        : pid_(server_pid), server_(cpu_seconds(server_pid)), own_(own_cpu_seconds()), at_(now()) {}

    void close() {
        seconds = static_cast<double>(now() - at_) / 1e9;
        own_cpu = own_cpu_seconds() - own_;
        server_cpu = cpu_seconds(pid_) - server_;
    }
    /// One thread drives the load: when it has no time left, the figure is the generator's, not the
    /// server's.
    bool generator_is_limit() const {
        return own_cpu > 0.95 * seconds && server_cpu < 0.95 * own_cpu;
    }

    double seconds = 0;
    double own_cpu = 0;
    double server_cpu = 0;

  private:
    int pid_;
    double server_;
    double own_;
    Nanoseconds at_;
};

}  // namespace bench
