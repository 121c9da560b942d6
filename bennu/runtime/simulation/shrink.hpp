#pragma once

#include <functional>

#include "bennu/runtime/simulation/fault.hpp"

namespace bennu {

struct ShrinkOptions {
    std::size_t runs = 300;
    Duration time = std::chrono::seconds(20);  ///< of this machine's clock
};

struct Shrunk {
    std::vector<SimFault> faults;
    std::size_t runs = 0;
    bool minimal = false;  ///< without any one of them the run does not fail
};

/// Takes faults away while `fails` says that the run fails still (delta debugging). `faults` is a
/// list that does fail.
Shrunk shrink_faults(std::vector<SimFault> faults,
                     const std::function<bool(const std::vector<SimFault>&)>& fails,
                     ShrinkOptions options = {});

}  // namespace bennu
