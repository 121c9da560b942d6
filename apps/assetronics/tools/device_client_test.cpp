#include "apps/assetronics/tools/device_client.hpp"

#include <gtest/gtest.h>

#include "apps/assetronics/lib/database/database.hpp"
#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/tools/simulated_device.hpp"
#include "apps/assetronics/web/channels/channels.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"

namespace assetronics::device::device_client_test {

using namespace bennu;
using namespace std::chrono_literals;

constexpr std::uint16_t port = 4000;

/// Hardware that does what the test says.
struct Script {
    Moment::Kind kind = Moment::Kind::report;
    double temperature = 40;
    std::vector<std::string> actions;
};
class ScriptedHardware final : public Hardware {
  public:
    explicit ScriptedHardware(std::shared_ptr<Script> script) : script_(std::move(script)) {}
    Moment next() override {
        return {.kind = script_->kind,
                .metrics = {.cpu = 10, .temperature = script_->temperature, .battery = 90},
                .away = 20s};
    }
    void act(std::string_view action) override { script_->actions.emplace_back(action); }

  private:
    std::shared_ptr<Script> script_;
};

struct World {
    Repo repo;
    Pid endpoint;
    std::shared_ptr<Script> script = std::make_shared<Script>();
    std::shared_ptr<Counters> counters = std::make_shared<Counters>();
    Ref<DeviceClient> client;
};

Task<Result<Pid>> start_endpoint(Repo repo) {
    auto router = std::make_shared<Router>();
    web::mount_channels(*router, repo);
    ChildSpec spec = child_endpoint({.port = port}, std::move(router));
    co_return co_await spec.start();
}

Task<> step(Duration duration) {
    co_await bennu::sleep(duration);
}

Task<std::string> state(const World& world) {
    const auto all = co_await devices::list("demo");
    std::string out = std::to_string(world.counters->connected) + "/" +
                      std::to_string(world.counters->joined) + " ";
    if (all.empty()) co_return out + "unknown";
    co_return out + std::string(enum_name(all[0].light)) + (all[0].online ? " online" : " offline");
}

/// A server, and one device that connects to it, on a simulated network.
template <typename F>
void with_device(SimOptions options, F body) {
    const LogCapture quiet;
    options.shards = 1;
    const SimOutcome outcome = simulate(options, [body]() -> Task<Result<>> {
        World world;
        world.repo = co_await require(open_sqlite({}));
        co_await require(migrate(world.repo, database::migrations()));
        co_await require(tenants::ensure(world.repo, {.slug = "demo", .name = "Demo"}));
        std::vector<ChildSpec> children;
        children.push_back(devices::child_devices(world.repo));
        auto tree = co_await require(supervise({}, std::move(children)));
        world.endpoint = co_await require(start_endpoint(world.repo));
        auto issued =
            co_await require(devices::enrol({world.repo, "demo"}, {{.mac = "02:00:00:00:00:01"}}));
        world.client =
            spawn<DeviceClient>(ClientOptions{.address = {"127.0.0.1", port}, .host = "localhost"},
                                Identity{.mac = "02:00:00:00:00:01",
                                         .name = "Gate",
                                         .firmware = "1",
                                         .simulated = true,
                                         .token = issued.front().token},
                                std::make_unique<ScriptedHardware>(world.script), world.counters);
        co_await body(world);
        co_await stop_and_wait(world.client.pid());
        if (alive(world.endpoint)) co_await stop_and_wait(world.endpoint, 30s);
        co_await stop_and_wait(tree.pid());
        co_await world.repo.close();
        co_return Result<>();
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
}

BENNU_SIM_TEST(DeviceClient, joins_reports_beats_and_obeys, options) {
    with_device(options, [](World& world) -> Task<> {
        co_await step(5s);
        EXPECT_EQ(co_await state(world), "1/1 green online");
        world.script->temperature = 90;
        co_await step(3s);
        EXPECT_EQ(co_await state(world), "1/1 red online");
        world.script->temperature = 40;
        co_await step(3min);  // heartbeats and pings keep it there
        EXPECT_EQ(co_await state(world), "1/1 green online");
        EXPECT_EQ(world.counters->errors, 0) << world.counters->last_error;

        world.script->kind = Moment::Kind::silent;
        co_await step(6s);
        EXPECT_EQ(co_await state(world), "1/1 amber online");
        co_await step(6s);
        EXPECT_EQ(co_await state(world), "1/1 red online");
        world.script->kind = Moment::Kind::drop_out;
        co_await step(2500ms);
        EXPECT_EQ(co_await state(world), "0/0 red offline");
        world.script->kind = Moment::Kind::report;
        co_await step(25s);
        EXPECT_EQ(co_await state(world), "1/1 green online");

        const Id id = (co_await devices::list("demo")).at(0).id;
        EXPECT_TRUE(co_await devices::act("demo", id, devices::DeviceAction::blink));
        EXPECT_TRUE(co_await devices::act("demo", id, devices::DeviceAction::reboot));
        co_await step(1500ms);
        EXPECT_EQ(world.script->actions, (std::vector<std::string>{"blink", "reboot"}));
        EXPECT_EQ(co_await state(world), "0/0 red offline");
        co_await step(6s);
        EXPECT_EQ(co_await state(world), "1/1 green online");
        EXPECT_EQ(world.counters->errors, 0) << world.counters->last_error;
    });
}

BENNU_SIM_TEST(DeviceClient, comes_back_after_the_server_does, options) {
    with_device(options, [](World& world) -> Task<> {
        co_await step(3s);
        EXPECT_EQ(co_await state(world), "1/1 green online");
        const Id id = (co_await devices::list("demo")).at(0).id;
        co_await stop_and_wait(world.endpoint, 30s);
        co_await step(40s);  // connection attempts fail meanwhile
        EXPECT_EQ(world.counters->joined, 0);
        EXPECT_GE(world.counters->errors, 3);
        world.endpoint = (co_await start_endpoint(world.repo)).value();
        co_await step(15s);
        EXPECT_EQ(co_await state(world), "1/1 green online");
        EXPECT_EQ((co_await devices::list("demo")).at(0).id, id);
    });
}

BENNU_SIM_TEST(DeviceClient, rejoins_when_its_channel_crashes, options) {
    with_device(options, [](World& world) -> Task<> {
        co_await step(3s);
        kill(whereis("devices"), "a test");  // joins fail until it is back
        co_await step(20s);
        EXPECT_EQ(co_await state(world), "1/1 green online");
    });
}

TEST(SimulatedDevices, are_the_same_for_the_same_seed_and_mostly_well) {
    const Identity one = tools::simulated_identity(7, 42, "demo");
    EXPECT_EQ(one.mac, "02:00:07:00:00:2a");
    EXPECT_EQ(one.topic(), "device:demo:02:00:07:00:00:2a");
    EXPECT_EQ(one.name, tools::simulated_identity(7, 42, "demo").name);
    EXPECT_TRUE(one.simulated);

    int green = 0, amber = 0, red = 0, quiet = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        tools::SimulatedDevice device(seed);
        for (int second = 0; second < 300; ++second) {
            const Moment moment = device.next();
            if (moment.kind != Moment::Kind::report) {
                ++quiet;
                continue;
            }
            const Metrics& now = moment.metrics;
            const devices::Metrics metrics{now.cpu, now.memory, now.temperature, now.battery,
                                           now.signal};
            EXPECT_TRUE(devices::check(metrics));
            const devices::Light light = devices::light_of(true, 0s, metrics);
            green += light == devices::Light::green;
            amber += light == devices::Light::amber;
            red += light == devices::Light::red;
        }
    }
    const double all = green + amber + red + quiet;
    EXPECT_GT(green / all, 0.8);
    EXPECT_GT(amber / all, 0.02);
    EXPECT_GT(red / all, 0.005);
    EXPECT_GT(quiet / all, 0.002);
}

}  // namespace assetronics::device::device_client_test
