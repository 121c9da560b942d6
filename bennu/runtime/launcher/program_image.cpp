#include "bennu/runtime/launcher/program_image.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "bennu/runtime/launcher/service_manager.hpp"

namespace bennu {

namespace {

namespace fs = std::filesystem;
constexpr const char* role_variable = "BENNU_NODE";
constexpr const char* child_variable = "BENNU_CHILD";
constexpr const char* handover_variable = "BENNU_HANDOVER";
// Stands for an empty word.
constexpr std::string_view nothing = "-";
constexpr const char* own_image = "/proc/self/exe";

std::vector<std::string> own_arguments() {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    std::vector<std::string> arguments;
    for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
    return arguments;
}

/// Execution with this process's own arguments.
void execute_with_own_arguments(const std::string& path) {
    std::vector<std::string> arguments = own_arguments();
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execv(path.c_str(), argv.data());
}

std::string to_word(const std::string& text) {
    return text.empty() ? std::string(nothing) : text;
}
std::string from_word(std::istream& words) {
    std::string word;
    words >> word;
    return word == nothing ? "" : word;
}

bool is_own_image(const fs::path& path) {
    std::error_code failed;
    return fs::equivalent(path, own_image, failed) && !failed;
}

}  // namespace

std::string program_path() {
    // By the name it was called with, links and all: a deployment may change what they lead to.
    std::error_code failed;
    const std::vector<std::string> arguments = own_arguments();
    const std::string called = arguments.empty() ? "" : arguments.front();
    if (called.contains('/')) {
        fs::path path = fs::absolute(called, failed);
        if (!failed && is_own_image(path)) return path;
    } else if (const char* search = std::getenv("PATH")) {
        std::istringstream folders(search);
        for (std::string folder; std::getline(folders, folder, ':');) {
            if (fs::path path = fs::path(folder) / called; is_own_image(path)) return path;
        }
    }
    std::string path = fs::read_symlink(own_image, failed);
    constexpr std::string_view gone = " (deleted)";
    if (path.ends_with(gone)) path.resize(path.size() - gone.size());
    return path;
}

Handover take_handover() {
    Handover handover;
    const char* text = std::getenv(handover_variable);
    if (!text) return handover;
    std::istringstream words(text);
    std::string step;
    words >> step >> handover.hub;
    handover.hub_address = from_word(words);
    handover.hub_token = from_word(words);
    for (pid_t node = 0; words >> node;) handover.nodes.push_back(node);
    handover.step = step == "upgrade" ? Handover::Step::upgrade : Handover::Step::rolled_back;
    ::unsetenv(handover_variable);
    return handover;
}

Error execute(const std::string& path, Handover handover, const NamedDescriptors& descriptors) {
    hand_down(descriptors);
    const char* step = handover.step == Handover::Step::upgrade ? "upgrade" : "rolled_back";
    std::string text = fmt::format("{} {} {} {}", step, handover.hub, to_word(handover.hub_address),
                                   to_word(handover.hub_token));
    for (pid_t node : handover.nodes) text.append(fmt::format(" {}", node));
    ::setenv(handover_variable, text.c_str(), 1);
    execute_with_own_arguments(path);
    const int why = errno;
    ::unsetenv(handover_variable);
    return Error(ErrorKind::io, "execute", fmt::format("cannot run {}: {}", path, ::strerror(why)));
}

pid_t start_check(const std::string& path) {
    pid_t child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ServiceManager::forget();
    for (const char* name : {"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"}) ::unsetenv(name);
    ::setenv(role_variable, "check", 1);
    execute_with_own_arguments(path);
    ::_exit(127);
}

void execute_child(const std::string& path, const ChildRole& role,
                   const NamedDescriptors& descriptors) {
    hand_down(descriptors);
    ServiceManager::forget();
    ::setenv(role_variable, role.kind == ChildRole::Kind::hub ? "hub" : "1", 1);
    ::setenv(child_variable,
             fmt::format("{} {} {} {}", role.worker, role.workers, to_word(role.hub_address),
                         to_word(role.hub_token))
                 .c_str(),
             1);
    execute_with_own_arguments(path);
    ::_exit(127);
}

Role own_role() {
    const char* text = std::getenv(role_variable);
    if (!text) return Role::launcher;
    const std::string_view name = text;
    const Role role = name == "check" ? Role::check : name == "hub" ? Role::hub : Role::node;
    ::unsetenv(role_variable);
    return role;
}

ChildRole take_child_role() {
    ChildRole role;
    const char* text = std::getenv(child_variable);
    if (!text) return role;
    std::istringstream words(text);
    words >> role.worker >> role.workers;
    role.hub_address = from_word(words);
    role.hub_token = from_word(words);
    ::unsetenv(child_variable);
    return role;
}

}  // namespace bennu
