#pragma once

#include <cstddef>

namespace bench {

/// What the kernel says about a process and all that it started.
struct ProcessUse {
    double cpu_seconds = 0;  ///< user and system, in steps of a hundredth
    std::size_t pss = 0;     ///< bytes of memory, shared pages in part
};
/// Zero for pid 0. A process that is gone counts nothing.
ProcessUse probe(int pid);
double cpu_seconds(int pid);

/// CPU of this process itself.
double own_cpu_seconds();

}  // namespace bench
