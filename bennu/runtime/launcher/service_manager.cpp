#include "bennu/runtime/launcher/service_manager.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace bennu {

ServiceManager::ServiceManager() {
    if (const char* address = std::getenv("NOTIFY_SOCKET")) address_ = address;
    const char* microseconds = std::getenv("WATCHDOG_USEC");
    const char* pid = std::getenv("WATCHDOG_PID");
    if (address_.empty() || !microseconds || (pid && std::atoi(pid) != ::getpid())) return;
    // Half of what is allowed, as the protocol advises.
    alive_every_ = std::chrono::microseconds(std::atoll(microseconds)) / 2;
}

void ServiceManager::ready(std::string_view status) {
    send(fmt::format("READY=1\nSTATUS={}", status));
}
void ServiceManager::status(std::string_view status) {
    send(fmt::format("STATUS={}", status));
}
void ServiceManager::reloading(Instant now) {
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=upgrading", now.ns / 1000));
}
void ServiceManager::stopping() {
    send("STOPPING=1\nSTATUS=stopping");
}
void ServiceManager::alive() {
    send("WATCHDOG=1");
}

void ServiceManager::forget() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
}

void ServiceManager::send(const std::string& message) const {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (address_.size() < 2 || address_.size() > sizeof(to.sun_path)) return;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    if (to.sun_path[0] == '@') to.sun_path[0] = '\0';  // an abstract name
    int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    // A manager that does not listen must not hold the service up.
    ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
             reinterpret_cast<const sockaddr*>(&to),
             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size()));
    ::close(fd);
}

}  // namespace bennu
