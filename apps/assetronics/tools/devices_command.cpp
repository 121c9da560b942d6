#include <sys/resource.h>

#include <cstdio>

#include "apps/assetronics/tools/commands.hpp"
#include "apps/assetronics/tools/http_client.hpp"
#include "apps/assetronics/tools/import_report.hpp"
#include "apps/assetronics/tools/simulated_device.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/runtime.hpp"

namespace assetronics::tools {

using namespace bennu;
using namespace std::chrono_literals;

namespace {

constexpr int most_devices = 10'000;
constexpr int per_step = 20;
constexpr Duration step_pause = 100ms;

/// One descriptor a device.
Result<> make_room(int count) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t wanted = static_cast<rlim_t>(count) + 64;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = std::min(limit.rlim_max, wanted);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted) return {};
    return Error(ErrorKind::invalid, "descriptors",
                 "this system allows " + std::to_string(limit.rlim_max) +
                     " open files, too few for " + std::to_string(count) + " devices");
}

Result<SocketAddress> find_server(const DevicesCommand& command, const ServerAddress& server) {
    Result<HttpAnswer> health = http_call({.url = server.url + "/api/v1/devices?page_size=1",
                                           .headers = {"x-tenant-id: " + command.tenant}});
    if (!health) {
        return Error(
            ErrorKind::unavailable, "not_reachable",
            "no server answers at " + server.url + "; start it with ./run, or name it with --url");
    }
    if (health->status == 404)
        return Error(ErrorKind::not_found, "tenant",
                     "there is no tenant \"" + command.tenant + "\"");
    Result<std::string> host = resolve(server.host);
    if (!host) return std::move(host).error();
    return SocketAddress{*host, server.port};
}

std::string status_line(const device::Counters& now, int count, std::int64_t sent_before) {
    std::string line = "connected " + grouped(now.connected) + " of " + grouped(count) +
                       " | joined " + grouped(now.joined) + " | sent " + grouped(now.sent) + " (" +
                       grouped(now.sent - sent_before) + "/s) | replies " + grouped(now.replies) +
                       " | errors " + grouped(now.errors);
    if (now.actions > 0) line += " | actions " + grouped(now.actions);
    if (!now.last_error.empty()) line += " | last: " + printable(now.last_error, 120);
    return line;
}

Task<> print_status(std::shared_ptr<device::Counters> counters, int count) {
    std::int64_t sent = 0;
    while (true) {
        co_await bennu::sleep(1s);
        std::printf("%s\n", status_line(*counters, count, sent).c_str());
        std::fflush(stdout);
        sent = counters->sent;
    }
}

Task<> stop_after(Duration duration) {
    co_await bennu::sleep(duration);
    request_stop();
}

/// Starts them some at a time, so that the server is not run over.
Task<> start_devices(DevicesCommand command, device::ClientOptions options,
                     std::shared_ptr<device::Counters> counters,
                     std::shared_ptr<std::vector<Pid>> devices) {
    for (int number = 0; number < command.count; ++number) {
        if (number > 0 && number % per_step == 0) co_await bennu::sleep(step_pause);
        const auto n = static_cast<std::uint32_t>(number + 1);
        devices->push_back(spawn<device::DeviceClient>(
                               options, simulated_identity(command.seed, n, command.tenant),
                               std::make_unique<SimulatedDevice>(command.seed << 32 | n), counters)
                               .pid());
    }
}

Task<> end_devices(const std::vector<Pid>& devices) {
    for (const Pid pid : devices) stop(pid);
    // Closing handshakes take a round trip.
    co_await bennu::sleep(500ms);
}

Task<Result<>> simulate_all(DevicesCommand command, device::ClientOptions options) {
    auto counters = std::make_shared<device::Counters>();
    auto devices = std::make_shared<std::vector<Pid>>();
    spawn_task([command, options, counters, devices]() -> Task<> {
        co_await start_devices(command, options, counters, devices);
    });
    const Pid printer = spawn_task(
        [counters, count = command.count]() -> Task<> { co_await print_status(counters, count); });
    if (command.duration > 0) {
        spawn_task([after = std::chrono::seconds(command.duration)]() -> Task<> {
            co_await stop_after(after);
        });
    }
    co_await stop_requested();
    kill(printer);
    const std::string last = status_line(*counters, command.count, counters->sent);
    co_await end_devices(*devices);
    std::printf("stopped: %s\n", last.c_str());
    co_return Result<>();
}

Result<device::ClientOptions> prepare(const DevicesCommand& command) {
    if (command.count < 1 || command.count > most_devices) {
        return Error(ErrorKind::invalid, "count", "--count must be from 1 to 10,000");
    }
    Result<ServerAddress> server = parse_server(command.url);
    if (!server) return std::move(server).error();
    Result<> room = make_room(command.count);
    if (!room) return std::move(room).error();
    Result<SocketAddress> address = find_server(command, *server);
    if (!address) return std::move(address).error();
    return device::ClientOptions{.address = *address,
                                 .host = server->url.substr(std::string_view("http://").size())};
}

}  // namespace

int simulate_devices(const DevicesCommand& command) {
    Result<device::ClientOptions> options = prepare(command);
    if (!options) {
        std::fprintf(stderr, "assetronics devices: %s\n",
                     std::string(options.error().message()).c_str());
        return 1;
    }
    std::printf("%s simulated devices of \"%s\" connect to %s; Ctrl-C ends them\n",
                grouped(command.count).c_str(), command.tenant.c_str(), command.url.c_str());
    std::fflush(stdout);
    return run({.shards = 1}, [command, options = *options] [[clang::coro_wrapper]] () {
        return simulate_all(command, options);
    });
}

}  // namespace assetronics::tools
