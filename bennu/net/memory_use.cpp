#include "bennu/net/memory_use.hpp"

#include <unistd.h>

#include <fstream>
#include <string>

namespace bennu::net {

namespace {

/// A number at the front of a file; 0 when there is none ("max").
std::uint64_t number_in(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    return file >> value ? value : 0;
}

}  // namespace

std::uint64_t memory_in_use() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t all = 0, resident = 0;
    file >> all >> resident;
    return file ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::uint64_t control_group_memory() {
    std::ifstream groups("/proc/self/cgroup");
    std::string line;
    while (std::getline(groups, line)) {
        // "0::/path" of version 2, "4:memory:/path" of version 1. In a container the path may be
        // one of outside, and its own group the root of what it sees.
        const std::size_t name = line.find(':') + 1;
        const std::size_t path = line.find(':', name) + 1;
        if (name == 0 || path == 0) continue;
        const std::string kind = line.substr(name, path - 1 - name);
        const bool second = kind.empty();
        if (!second && kind != "memory") continue;
        const std::string root = second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
        const std::string file = second ? "/memory.max" : "/memory.limit_in_bytes";
        std::uint64_t limit = number_in(root + line.substr(path) + file);
        if (limit == 0) limit = number_in(root + file);
        // "No limit" of version 1 is a number that no machine has.
        if (limit != 0 && limit < std::uint64_t{1} << 60) return limit;
    }
    return 0;
}

}  // namespace bennu::net
