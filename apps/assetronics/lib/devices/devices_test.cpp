#include "apps/assetronics/lib/devices/devices.hpp"

#include <gtest/gtest.h>

#include "apps/assetronics/lib/database/database.hpp"
#include "apps/assetronics/lib/devices/store.hpp"
#include "bennu/base/log.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace assetronics::devices::devices_test {

using namespace bennu;
using namespace std::chrono_literals;

TEST(Lights, follow_the_worst_measurement) {
    const Metrics fine{.cpu = 20, .memory = 30, .temperature = 40, .battery = 80, .signal = -50};
    const auto with = [&](double Metrics::* member, double value) {
        Metrics metrics = fine;
        metrics.*member = value;
        return enum_name(light_of(true, 0s, metrics));
    };
    EXPECT_EQ(enum_name(light_of(true, 0s, fine)), "green");
    EXPECT_EQ(enum_name(light_of(true, 0s, std::nullopt)), "green");
    EXPECT_EQ(with(&Metrics::temperature, 69.9), "green");
    EXPECT_EQ(with(&Metrics::temperature, 70), "amber");
    EXPECT_EQ(with(&Metrics::temperature, 84.9), "amber");
    EXPECT_EQ(with(&Metrics::temperature, 85), "red");
    EXPECT_EQ(with(&Metrics::battery, 20), "green");
    EXPECT_EQ(with(&Metrics::battery, 19.9), "amber");
    EXPECT_EQ(with(&Metrics::battery, 5), "amber");
    EXPECT_EQ(with(&Metrics::battery, 4.9), "red");
    EXPECT_EQ(with(&Metrics::cpu, 89.9), "green");
    EXPECT_EQ(with(&Metrics::cpu, 90), "amber");
    EXPECT_EQ(with(&Metrics::cpu, 98), "red");
    EXPECT_EQ(with(&Metrics::memory, 100), "green");

    EXPECT_EQ(enum_name(light_of(true, 2999ms, fine)), "green");
    EXPECT_EQ(enum_name(light_of(true, 3s, fine)), "amber");
    EXPECT_EQ(enum_name(light_of(true, 9999ms, fine)), "amber");
    EXPECT_EQ(enum_name(light_of(true, 10s, fine)), "red");
    EXPECT_EQ(enum_name(light_of(false, 0s, fine)), "red");
}

TEST(Macs, are_read_in_both_spellings) {
    EXPECT_EQ(normal_mac("AA:bb:CC:00:11:22"), "aa:bb:cc:00:11:22");
    EXPECT_EQ(normal_mac("aa-bb-cc-00-11-22"), "aa:bb:cc:00:11:22");
    for (const char* bad : {"", "aa:bb:cc:00:11", "aa:bb:cc:00:11:2g", "aa:bb-cc:00:11:22",
                            "aabbcc001122", "aa:bb:cc:00:11:22:33", "aa.bb.cc.00.11.22"}) {
        EXPECT_EQ(normal_mac(bad), std::nullopt) << bad;
    }
}

TEST(MetricsInput, is_checked_field_by_field) {
    const auto errors = [](const Json& payload) {
        Result<Metrics> read = from_json<Metrics>(payload);
        const Result<> checked = read ? check(*read) : Result<>(read.error());
        std::string out;
        if (!checked) {
            for (const FieldError& error : checked.error().fields())
                out += error.field + ":" + error.code + " ";
        }
        return out;
    };
    Json good = Json::object(
        {{"cpu", 1}, {"memory", 2.5}, {"temperature", 40}, {"battery", 90}, {"signal", -60}});
    EXPECT_EQ(errors(good), "");
    good.set("cpu", 101);
    good.set("battery", -1);
    EXPECT_EQ(errors(good), "cpu:out_of_range battery:out_of_range ");
    good.set("cpu", "hot");
    good.set("extra", 1);
    good.erase("signal");
    EXPECT_EQ(errors(good), "cpu:type extra:unknown signal:required ");
}

/// A device's connection that reports when it is told to.
struct FakeDevice : Server {
    struct Say {
        using Reply = void;
        Metrics metrics;
    };
    FakeDevice(Scope s, Announcement a) : scope(std::move(s)), announcement(std::move(a)) {}
    Task<Result<>> init() {
        Device device = co_await require(arrive(scope, announcement));
        id = device.id;
        co_return Result<>();
    }
    void handle(Say say) { report(scope.tenant, id, say.metrics); }
    Scope scope;
    Announcement announcement;
    Id id;
};

struct MonitorPage : Server {
    struct Take {
        using Reply = std::vector<std::string>;
    };
    Task<Result<>> init() {
        changes = pubsub::subscribe(Ref<MonitorPage>(self()), "devices:demo");
        co_return Result<>();
    }
    void handle(Broadcast message) {
        std::string line = std::string(message.event()) + ":";
        const Json& devices = message.payload()["devices"];
        for (std::size_t i = 0; i < devices.size(); ++i) {
            line += " " + devices[i].get<std::string>("name").value_or("?") + "=" +
                    devices[i].get<std::string>("light").value_or("?");
        }
        seen.push_back(line);
    }
    std::vector<std::string> handle(Take) { return std::exchange(seen, {}); }
    pubsub::Subscription changes;
    std::vector<std::string> seen;
};

/// With a token of its own.
Task<Announcement> enrolled(Scope scope, std::string mac, std::string name) {
    auto issued = co_await enrol(scope, {{.mac = mac}});
    co_return {.mac = mac,
               .token = issued.value().front().token,
               .name = std::move(name),
               .firmware = "1.0",
               .simulated = true,
               .topic = "device:demo:" + mac};
}

using Seen = std::vector<std::string>;

template <typename F>
void with_devices(SimOptions options, F body) {
    const SimOutcome outcome = simulate(options, [body]() -> Task<Result<>> {
        Repo repo = co_await require(open_sqlite({}));
        co_await require(migrate(repo, database::migrations()));
        co_await require(tenants::ensure(repo, {.slug = "demo", .name = "Demo"}));
        std::vector<ChildSpec> children;
        children.push_back(child_devices(repo));
        auto tree = co_await require(supervise({}, std::move(children)));
        co_await body(Scope{repo, "demo"});
        co_await stop_and_wait(tree.pid());
        co_await repo.close();
        co_return Result<>();
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
}

BENNU_SIM_TEST(Devices, lights_change_with_reports_silence_and_the_end_of_the_connection, options) {
    options.shards = 1;
    with_devices(options, [](Scope scope) -> Task<> {
        auto page = *co_await start<MonitorPage>({});
        const auto seen = [page]() -> Task<Seen> {
            co_return co_await call(page, MonitorPage::Take{});
        };
        auto device = *co_await start<FakeDevice>(
            {}, scope, co_await enrolled(scope, "02:00:00:00:00:01", "one"));
        const Metrics fine{
            .cpu = 20, .memory = 30, .temperature = 40, .battery = 80, .signal = -50};
        const Metrics warm{
            .cpu = 20, .memory = 30, .temperature = 75, .battery = 80, .signal = -50};

        co_await call(device, FakeDevice::Say{fine});
        co_await bennu::sleep(1100ms);
        EXPECT_EQ(co_await seen(), Seen{"devices_changed: one=green"});
        co_await call(device, FakeDevice::Say{fine});
        co_await bennu::sleep(1s);
        EXPECT_EQ(co_await seen(), Seen{});  // nothing new
        co_await call(device, FakeDevice::Say{warm});
        co_await call(device, FakeDevice::Say{fine});
        co_await call(device, FakeDevice::Say{warm});
        co_await bennu::sleep(1s);
        EXPECT_EQ(co_await seen(), Seen{"devices_changed: one=amber"});  // once, as it is by then
        co_await call(device, FakeDevice::Say{fine});
        co_await bennu::sleep(1s);
        EXPECT_EQ(co_await seen(), Seen{"devices_changed: one=green"});

        co_await bennu::sleep(3s);
        EXPECT_EQ(co_await seen(), Seen{"devices_changed: one=amber"});
        co_await bennu::sleep(5s);
        EXPECT_EQ(co_await seen(), Seen{});
        co_await bennu::sleep(2s);
        EXPECT_EQ(co_await seen(), Seen{"devices_changed: one=red"});
        co_await call(device, FakeDevice::Say{fine});
        co_await bennu::sleep(1s);
        EXPECT_EQ(co_await seen(), Seen{"devices_changed: one=green"});

        kill(device.pid());
        co_await bennu::sleep(1s);
        EXPECT_EQ(co_await seen(), Seen{"devices_changed: one=red"});
        const auto all = co_await list("demo");
        EXPECT_EQ(all.size(), 1U);
        EXPECT_FALSE(all[0].online);
        EXPECT_EQ(record_equal(*all[0].metrics, fine), true);  // the last that were known
    });
}

BENNU_SIM_TEST(Devices, are_remembered_and_come_back_under_the_same_id, options) {
    const LogCapture quiet;
    with_devices(options, [](Scope scope) -> Task<> {
        Announcement renamed = co_await enrolled(scope, "02:00:00:00:00:02", "two");
        auto first = *co_await start<FakeDevice>({}, scope, renamed);
        renamed.name = "two, renamed";
        const Id id = (co_await list("demo")).at(0).id;
        co_await call(first, FakeDevice::Say{{.battery = 50}});
        co_await bennu::sleep(12s);  // long enough for last_seen to be stored

        kill(whereis("devices"), "a test");
        co_await bennu::sleep(1s);
        auto known = (co_await list("demo")).at(0);
        EXPECT_EQ(known.id, id);
        EXPECT_EQ(known.online, false);
        EXPECT_GT(known.last_seen, Timestamp{});

        // The connection outlived the collector: its next report brings it back.
        co_await call(first, FakeDevice::Say{{.battery = 50}});
        co_await bennu::sleep(100ms);
        EXPECT_EQ((co_await list("demo")).at(0).online, true);

        // Another connection of the same device takes over; the end of the old one means nothing.
        auto second = *co_await start<FakeDevice>({}, scope, renamed);
        kill(first.pid());
        co_await bennu::sleep(100ms);
        known = (co_await list("demo")).at(0);
        EXPECT_EQ(known.id, id);
        EXPECT_EQ(known.name, "two, renamed");
        EXPECT_EQ(known.online, true);
        const LightCounts counts = co_await count_lights("demo");
        EXPECT_EQ(counts.green + counts.amber + counts.red, 1);
        EXPECT_EQ((co_await count_lights("other")).red, 0);
        kill(second.pid());
    });
}

BENNU_SIM_TEST(Devices, only_who_shows_the_token_may_come, options) {
    const LogCapture quiet;
    with_devices(options, [](Scope scope) -> Task<> {
        const auto comes = [scope](Announcement says) -> Task<std::string> {
            auto device = co_await start<FakeDevice>({}, scope, std::move(says));
            co_return device ? "in" : std::string(device.error().code());
        };
        const std::string mac = "02:00:00:00:00:04";
        EXPECT_EQ(co_await comes({.mac = mac, .token = ""}), "unauthorized");
        const Announcement first = co_await enrolled(scope, mac, "four");
        Announcement wrong = first;
        wrong.token += "x";
        EXPECT_EQ(co_await comes(wrong), "unauthorized");
        wrong.token.clear();
        EXPECT_EQ(co_await comes(wrong), "unauthorized");
        Announcement other = first;
        other.mac = "02:00:00:00:00:05";
        EXPECT_EQ(co_await comes(other), "unauthorized");
        const Scope elsewhere{scope.repo, "other"};
        EXPECT_FALSE((co_await start<FakeDevice>({}, elsewhere, first)));
        EXPECT_EQ(co_await comes(first), "in");
        EXPECT_EQ((co_await list("demo")).at(0).online, true);

        // What is stored does not let anybody in.
        const auto rows = (co_await all_devices(scope.repo)).value();
        EXPECT_NE(*rows.at(0).token_hash, first.token);
        wrong.token = *rows.at(0).token_hash;
        EXPECT_EQ(co_await comes(wrong), "unauthorized");

        // Another token ends the connection and the use of the one of before.
        const Announcement second = co_await enrolled(scope, mac, "four");
        co_await bennu::sleep(100ms);
        EXPECT_EQ((co_await list("demo")).at(0).online, false);
        EXPECT_EQ(co_await comes(first), "unauthorized");
        EXPECT_EQ(co_await comes(second), "in");
        const Id id = (co_await list("demo")).at(0).id;
        EXPECT_FALSE(co_await revoke(elsewhere, id));
        EXPECT_TRUE(co_await revoke(scope, id));
        co_await bennu::sleep(100ms);
        EXPECT_EQ((co_await list("demo")).at(0).online, false);
        EXPECT_EQ(co_await comes(second), "unauthorized");
    });
}

BENNU_SIM_TEST(Devices, enrolment_names_what_is_wrong_with_each, options) {
    with_devices(options, [](Scope scope) -> Task<> {
        const auto refused = [scope](std::vector<Enrolment> all) -> Task<std::string> {
            const auto issued = co_await enrol(scope, std::move(all));
            std::string out;
            if (issued) co_return "issued";
            for (const FieldError& each : issued.error().fields())
                out += each.field + ":" + each.code + " ";
            co_return out;
        };
        EXPECT_EQ(co_await refused({}), "devices:length ");
        EXPECT_EQ(co_await refused(std::vector<Enrolment>(1001)), "devices:length ");
        EXPECT_EQ(co_await refused({{.mac = "02:00:00:00:00:06"},
                                    {.mac = "nonsense"},
                                    {.mac = "02-00-00-00-00-06"},
                                    {.mac = "02:00:00:00:00:07", .name = std::string(101, 'x')}}),
                  "devices.1.mac:invalid devices.2.mac:taken devices.3.name:too_long ");
        EXPECT_TRUE((co_await list("demo")).empty());
    });
}

BENNU_SIM_TEST(Devices, an_action_needs_a_device_that_is_online, options) {
    with_devices(options, [](Scope scope) -> Task<> {
        auto device = *co_await start<FakeDevice>(
            {}, scope, co_await enrolled(scope, "02:00:00:00:00:03", "three"));
        const Id id = (co_await list("demo")).at(0).id;
        EXPECT_TRUE(co_await act("demo", id, DeviceAction::blink));
        const auto foreign = co_await act("other", id, DeviceAction::blink);
        EXPECT_EQ(foreign.error().kind(), ErrorKind::not_found);
        kill(device.pid());
        co_await bennu::sleep(100ms);
        const auto late = co_await act("demo", id, DeviceAction::blink);
        EXPECT_EQ(late.error().code(), "offline");
    });
}

}  // namespace assetronics::devices::devices_test
