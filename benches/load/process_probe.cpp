#include "benches/load/process_probe.hpp"

#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace bench {
namespace {

std::string slurp(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

/// The process and its descendants. A child belongs to the thread that started it, mostly the
/// first.
void collect(int pid, std::vector<int>& tree) {
    tree.push_back(pid);
    const std::string id = std::to_string(pid);
    std::istringstream children(slurp("/proc/" + id + "/task/" + id + "/children"));
    for (int child; children >> child;) collect(child, tree);
}

std::vector<int> tree_of(int pid) {
    std::vector<int> tree;
    if (pid > 0) collect(pid, tree);
    return tree;
}

double cpu_of(int pid) {
    const std::string stat = slurp("/proc/" + std::to_string(pid) + "/stat");
    const auto name_end = stat.rfind(')');
    if (name_end == stat.npos) return 0;
    std::istringstream fields(stat.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::size_t pss_of(int pid) {
    std::istringstream lines(slurp("/proc/" + std::to_string(pid) + "/smaps_rollup"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("Pss:")) return std::stoul(line.substr(4)) * 1024;
    return 0;
}

}  // namespace

double cpu_seconds(int pid) {
    double sum = 0;
    for (int each : tree_of(pid)) sum += cpu_of(each);
    return sum;
}

ProcessUse probe(int pid) {
    ProcessUse use;
    for (int each : tree_of(pid)) {
        use.cpu_seconds += cpu_of(each);
        use.pss += pss_of(each);
    }
    return use;
}

double own_cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace bench
