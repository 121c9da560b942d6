#include <sys/resource.h>

#include <cstdio>

#include "apps/assetronics/tools/commands.hpp"
#include "apps/assetronics/tools/device_tokens.hpp"
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

struct Fleet {
    device::ClientOptions options;
    std::vector<device::Identity> identities;
};

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

/// Who the simulated devices are; the server issues a token for each.
Result<std::vector<device::Identity>> enrol(const DevicesCommand& command,
                                            const ServerAddress& server) {
    std::vector<device::Identity> identities;
    std::vector<devices::Enrolment> enrolments;
    for (int number = 1; number <= command.count; ++number) {
        identities.push_back(
            simulated_identity(command.seed, static_cast<std::uint32_t>(number), command.tenant));
        enrolments.push_back(
            {.mac = identities.back().mac, .name = identities.back().name, .simulated = true});
    }
    auto issued = request_tokens(server.url, command.tenant, enrolments);
    if (!issued) return std::move(issued).error();
    for (std::size_t i = 0; i < identities.size() && i < issued->size(); ++i) {
        identities[i].token = std::move((*issued)[i].token);
    }
    return identities;
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
Task<> start_devices(DevicesCommand command, Fleet fleet,
                     std::shared_ptr<device::Counters> counters,
                     std::shared_ptr<std::vector<Pid>> devices) {
    for (int number = 0; number < command.count; ++number) {
        if (number > 0 && number % per_step == 0) co_await bennu::sleep(step_pause);
        const auto n = static_cast<std::uint32_t>(number + 1);
        devices->push_back(spawn<device::DeviceClient>(
                               fleet.options, fleet.identities[static_cast<std::size_t>(number)],
                               std::make_unique<SimulatedDevice>(command.seed << 32 | n), counters)
                               .pid());
    }
}

Task<> end_devices(const std::vector<Pid>& devices) {
    for (const Pid pid : devices) stop(pid);
    // Closing handshakes take a round trip.
    co_await bennu::sleep(500ms);
}

Task<Result<>> simulate_all(DevicesCommand command, Fleet fleet) {
    auto counters = std::make_shared<device::Counters>();
    auto devices = std::make_shared<std::vector<Pid>>();
    spawn_task([command, fleet = std::move(fleet), counters, devices]() -> Task<> {
        co_await start_devices(command, fleet, counters, devices);
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

Result<Fleet> prepare(const DevicesCommand& command) {
    if (command.count < 1 || command.count > most_devices) {
        return Error(ErrorKind::invalid, "count", "--count must be from 1 to 10,000");
    }
    Result<ServerAddress> server = parse_server(command.url);
    if (!server) return std::move(server).error();
    Result<> room = make_room(command.count);
    if (!room) return std::move(room).error();
    Result<std::vector<device::Identity>> identities = enrol(command, *server);
    if (!identities) return std::move(identities).error();
    Result<std::string> host = resolve(server->host);
    if (!host) return std::move(host).error();
    return Fleet{{.address = {*host, server->port},
                  .host = server->url.substr(std::string_view("http://").size())},
                 *std::move(identities)};
}

}  // namespace

int simulate_devices(const DevicesCommand& command) {
    Result<Fleet> fleet = prepare(command);
    if (!fleet) {
        std::fprintf(stderr, "assetronics devices: %s\n",
                     std::string(fleet.error().message()).c_str());
        return 1;
    }
    std::printf("%s simulated devices of \"%s\" connect to %s; Ctrl-C ends them\n",
                grouped(command.count).c_str(), command.tenant.c_str(), command.url.c_str());
    std::fflush(stdout);
    return run({.shards = 1}, [command, fleet = *fleet] [[clang::coro_wrapper]] () {
        return simulate_all(command, fleet);
    });
}

}  // namespace assetronics::tools
