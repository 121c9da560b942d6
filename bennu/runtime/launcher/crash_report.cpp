#include "bennu/runtime/launcher/crash_report.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace bennu {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kept_reports = 20;

std::string first_installed(std::initializer_list<const char*> tools) {
    for (const char* tool : tools) {
        if (fs::exists(tool)) return tool;
    }
    return {};
}

/// `binary(+0x1234) [0x55…]` lines as function and source line, one line each; what cannot be
/// resolved stays.
std::string symbolised(const std::string& said) {
    std::string tool = first_installed({"/usr/bin/llvm-symbolizer-19", "/usr/bin/addr2line"});
    if (tool.empty()) return said;
    std::istringstream lines(said);
    std::string out;
    for (std::string line; std::getline(lines, line);) {
        out.append(line).append("\n");
        std::size_t open = line.find("(+0x");
        std::size_t close = line.find(')', open);
        if (open == std::string::npos || close == std::string::npos) continue;
        std::string binary = line.substr(0, open);
        std::string offset = line.substr(open + 2, close - open - 2);
        bool plain = std::all_of(binary.begin(), binary.end(), [](unsigned char c) {
            return std::isalnum(c) || c == '/' || c == '.' || c == '_' || c == '-' || c == '+';
        });
        if (!plain || !fs::exists(binary)) continue;
        std::string command = tool.ends_with("addr2line")
                                  ? fmt::format("{} -Cfpe {} {}", tool, binary, offset)
                                  : fmt::format("{} -p -e {} {}", tool, binary, offset);
        FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
        if (!pipe) continue;
        std::array<char, 512> buffer{};
        while (::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe))
            out.append("    ").append(buffer.data());
        ::pclose(pipe);
    }
    return out;
}

void delete_old(const fs::path& folder) {
    std::vector<fs::path> reports;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        if (entry.path().filename().string().starts_with("crash-")) reports.push_back(entry.path());
    }
    std::sort(reports.begin(), reports.end());
    for (std::size_t i = 0; i + kept_reports < reports.size(); ++i) fs::remove(reports[i], ignored);
}

}  // namespace

std::string keep_crash_report(const std::string& folder, const CrashReport& report) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    std::string stamp = to_string(report.at);
    std::replace(stamp.begin(), stamp.end(), ':', '-');
    fs::path path = fs::path(folder) / ("crash-" + stamp + ".txt");
    std::ofstream file(path);
    file << "at " << to_string(report.at) << "\n"
         << "the node " << report.how << " after " << report.uptime / std::chrono::milliseconds(1)
         << " ms\n";
    if (!report.note.empty()) file << report.note << "\n";
    file << (report.said.empty() ? "it could not say anything\n" : report.said);
    if (!report.in_flight.empty()) file << "in flight\n" << report.in_flight;
    file.close();
    if (!file) return {};
    delete_old(folder);
    return path.string();
}

pid_t symbolise_crash_report(const std::string& path) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    [[maybe_unused]] int niceness = ::nice(10);  // the node that starts meanwhile goes first
    std::ostringstream said;
    said << std::ifstream(path).rdbuf();
    const std::string draft = path + ".part";
    std::ofstream file(draft);
    file << symbolised(said.str());
    file.close();
    std::error_code failed;
    if (file) fs::rename(draft, path, failed);
    ::_exit(0);
}

}  // namespace bennu
