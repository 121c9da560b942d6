#include "bennu/runtime/launcher/inherited.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace bennu {

namespace {
constexpr int first_number = 3;
// Beyond two for each of 200 workers; a machine that allows fewer is content with fewer workers.
constexpr int out_of_the_way_from = 512;
constexpr int out_of_the_way_at_least_from = 16;
}  // namespace

NamedDescriptors inherited_descriptors() {
    NamedDescriptors all;
    const char* pid = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    if (!pid || !count || std::atoi(pid) != ::getpid()) return all;
    const char* names = std::getenv("LISTEN_FDNAMES");
    std::istringstream rest(names ? names : "");
    for (int i = 0; i < std::atoi(count); ++i) {
        std::string name;
        std::getline(rest, name, ':');
        ::fcntl(first_number + i, F_SETFD, FD_CLOEXEC);
        all.emplace_back(std::move(name), first_number + i);
    }
    return all;
}

int descriptor_of(const NamedDescriptors& all, std::string_view name) {
    for (const auto& [each, fd] : all) {
        if (each == name) return fd;
    }
    return -1;
}

int out_of_the_way(int fd) {
    if (fd < 0) return fd;
    int high = ::fcntl(fd, F_DUPFD_CLOEXEC, out_of_the_way_from);
    if (high < 0) high = ::fcntl(fd, F_DUPFD_CLOEXEC, out_of_the_way_at_least_from);
    ::close(fd);
    return high;
}

void hand_down(const NamedDescriptors& descriptors) {
    // Out of the way first: any of them may sit on another's number.
    const int beyond = first_number + static_cast<int>(descriptors.size());
    std::vector<int> moved;
    std::string names;
    for (const auto& [name, fd] : descriptors) {
        moved.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, beyond));
        names.append(names.empty() ? "" : ":").append(name);
    }
    for (std::size_t i = 0; i < moved.size(); ++i) {
        ::dup2(moved[i], first_number + static_cast<int>(i));
        ::close(moved[i]);
    }
    ::setenv("LISTEN_FDS", std::to_string(descriptors.size()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
}

}  // namespace bennu
