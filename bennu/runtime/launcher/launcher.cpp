#include "bennu/runtime/launcher/launcher.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include "bennu/runtime/launcher/launcher_loop.hpp"
#include "bennu/runtime/launcher/program_image.hpp"
#include "bennu/runtime/reactor/epoll_reactor.hpp"

namespace bennu {

namespace {

/// A socket that systemd or an earlier image of this launcher opened.
int given_listener(const NamedDescriptors& given) {
    const int named = descriptor_of(given, "http");
    return named >= 0 || given.empty() ? named : given.front().second;
}

}  // namespace

namespace {

int run_hub(const LaunchOptions& options) {
    NodeEnvironment environment = detail::enter_node();
    return options.hub(environment.listener, std::move(environment.hub.token));
}

}  // namespace

Result<int> open_listener(const SocketAddress& address) {
    auto reactor = make_epoll_reactor();
    auto listener = reactor->listen(address, {});
    if (listener) return *listener;
    if (listener.error().code() == "address_in_use" && address.is_unix()) {
        return Error(ErrorKind::conflict, "address_in_use",
                     fmt::format("{} is in use by another program; choose another file",
                                 address.to_string()));
    }
    if (listener.error().code() == "address_in_use") {
        return Error(
            ErrorKind::conflict, "address_in_use",
            fmt::format("{} is in use by another program; choose another port, for example PORT={}",
                        address.to_string(), address.port + 1));
    }
    return std::move(listener).error();
}

int launch(const LaunchOptions& options, Function<int(NodeEnvironment)> node) {
    switch (own_role()) {
        case Role::check:
            return 0;
        case Role::hub:
            ::prctl(PR_SET_NAME, (options.name + "-hub").substr(0, 15).c_str());
            return run_hub(options);
        case Role::node:
            ::prctl(PR_SET_NAME, (options.name + "-node").substr(0, 15).c_str());
            return node(detail::enter_node());
        case Role::launcher:
            break;
    }
    std::string program = program_path();
    NamedDescriptors given = inherited_descriptors();
    int listener = given_listener(given);
    if (listener < 0) {
        auto opened = open_listener(options.address);
        if (!opened) {
            fmt::print(stderr, "{}: {}\n", options.name, opened.error().message());
            return 1;
        }
        listener = *opened;
    }
    return LauncherLoop(options, std::move(program), listener, given).run();
}

}  // namespace bennu
