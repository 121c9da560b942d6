// A node as small as can be: answers each connection with its process id, or ends in the way that
// the connection asks for. Usage: launcher_probe PORT CRASH_FOLDER [fail]
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bennu/runtime/launcher/launcher.hpp"

namespace {

int serve(bennu::NodeEnvironment environment) {
    std::signal(SIGTERM, [](int) { ::_exit(0); });
    bennu::notify_ready();
    while (true) {
        int client = ::accept(environment.listener, nullptr, nullptr);
        if (client < 0) continue;
        std::array<char, 64> buffer{};
        ssize_t count = ::recv(client, buffer.data(), buffer.size(), 0);
        std::string_view command(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
        if (command == "segv") ::raise(SIGSEGV);
        if (command == "exit") ::_exit(3);
        std::string pid = std::to_string(::getpid());
        ::send(client, pid.data(), pid.size(), MSG_NOSIGNAL);
        ::close(client);
    }
}

}  // namespace

int main(int argc, char** argv) {
    bennu::LaunchOptions options;
    options.name = "probe";
    options.address.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    options.crash_folder = argv[2];
    bool fail = argc > 3;
    return bennu::launch(options, [fail](bennu::NodeEnvironment environment) {
        if (fail) {
            std::fprintf(stderr, "the configuration is wrong\n");
            return 78;
        }
        return serve(environment);
    });
}
