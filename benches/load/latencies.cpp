#include "benches/load/latencies.hpp"

#include <algorithm>
#include <chrono>

namespace bench {

Nanoseconds now() {
    using namespace std::chrono;
    return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

double Latencies::percentile(double part) {
    if (all_.empty()) return 0;
    const auto rank = static_cast<std::size_t>(part * static_cast<double>(all_.size() - 1));
    const auto at = all_.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(all_.begin(), at, all_.end());
    return *at / 1000.0;
}

}  // namespace bench
