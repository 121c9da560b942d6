#include "apps/assetronics/web/channels/channels.hpp"

#include <gtest/gtest.h>

#include "apps/assetronics/lib/assets/assets.hpp"
#include "apps/assetronics/lib/imports/imports.hpp"
#include "apps/assetronics/test/api_testing.hpp"
#include "bennu/channel/testing.hpp"

namespace assetronics::testing::channels_test {

using namespace bennu;
using namespace std::chrono_literals;

Task<ChannelTest> client_of(const Api& api, std::string name = "Ada") {
    auto options = std::make_shared<const SocketOptions>(web::socket_options(api.repo()));
    ConnectRequest request;
    if (!name.empty()) request.params = Json::object({{"name", name}});
    co_return *co_await ChannelTest::connect(options, std::move(request));
}

Json metrics(double temperature) {
    return Json::object({{"cpu", 10},
                         {"memory", 20},
                         {"temperature", temperature},
                         {"battery", 90},
                         {"signal", -50}});
}

TEST(Channels, an_unknown_tenant_or_mac_is_refused) {
    with_api([](const Api& api) -> Task<Result<>> {
        ChannelTest client = co_await client_of(api);
        const Json token = Json::object({{"token", "x"}});
        for (const std::string_view topic :
             {"assets:nobody", "activity:nobody", "employees:nobody", "imports:nobody",
              "devices:nobody", "device:nobody:02:00:00:00:00:01", "assets:", "device:"}) {
            const bool device = topic.starts_with("device:");
            const auto refused =
                co_await client.join(std::string(topic), device ? token : Json::object());
            EXPECT_EQ(refused.status, "error") << topic;
            EXPECT_EQ(refused.response["reason"], Json("unknown tenant")) << topic;
        }
        for (const char* topic : {"device:demo:nonsense", "device:demo:", "device:demo"}) {
            const auto refused = co_await client.join(topic, token);
            EXPECT_EQ(refused.response["reason"], Json("invalid mac")) << topic;
        }
        co_return Result<>();
    });
}

TEST(Channels, viewers_see_changes_and_each_other) {  // proves 3.7
    with_api([](const Api& api) -> Task<Result<>> {
        ChannelTest ada = co_await client_of(api, "Ada");
        ChannelTest guest = co_await client_of(api, "");
        ChannelTest other = co_await client_of(api, "Other");
        EXPECT_EQ((co_await ada.join("assets:demo")).status, "ok");
        auto state = co_await require(co_await ada.next("presence_state"));
        EXPECT_EQ(
            (co_await ada.push("assets:demo", "view", Json::object({{"page", "list"}}))).status,
            "ok");
        EXPECT_EQ((co_await other.join("assets:other")).status, "ok");
        EXPECT_EQ((co_await guest.join("assets:demo")).status, "ok");
        state = co_await require(co_await guest.next("presence_state"));
        EXPECT_EQ(state.payload.size(), 2U);
        std::string seen;
        for (const JsonMember& member : state.payload.as_object()) {
            const Json& meta = member.value["metas"][0];
            seen += meta.get<std::string>("name").value_or("?") + "@" +
                    meta.get<std::string>("page").value_or("?") + " ";
            EXPECT_TRUE(parse_timestamp(meta["online_at"].as_string()));
        }
        EXPECT_TRUE(seen.contains("Ada@list ") && seen.contains("Guest@ ")) << seen;

        auto bad = co_await ada.push("assets:demo", "view", Json::object({{"page", 7}, {"x", 1}}));
        EXPECT_EQ(bad.status, "error");
        EXPECT_EQ(bad.response["errors"].size(), 2U);
        EXPECT_EQ((co_await ada.push("assets:demo", "dance")).status, "error");

        co_await api.asset("CH-1");
        const auto created = co_await require(co_await ada.next("asset_created"));
        EXPECT_EQ(created.payload["asset"]["tag"], Json("CH-1"));
        co_await require(co_await guest.next("asset_created"));
        const auto nothing = co_await other.next("asset_created");
        EXPECT_FALSE(nothing);  // of another tenant

        guest.disconnect();
        bool left = false;
        while (!left) {
            const auto diff = co_await require(co_await ada.next("presence_diff"));
            left = diff.payload["leaves"].size() > 0 && diff.payload["joins"].size() == 0;
        }
        co_return Result<>();
    });
}

TEST(Channels, a_page_that_was_away_gets_what_it_missed_and_nothing_else) {
    with_api([](const Api& api) -> Task<Result<>> {
        ChannelTest before = co_await client_of(api);
        EXPECT_EQ((co_await before.join("assets:demo")).response["resume"]["status"], Json("new"));
        co_await api.asset("AW-1");
        const auto seen = co_await require(co_await before.next("asset_created"));
        const Json& at = seen.payload["_at"];
        before.disconnect();
        co_await api.asset("AW-2");
        co_await api.asset("AW-3");

        ChannelTest after = co_await client_of(api);
        Json position = Json::object();
        position.set(at[0].as_string(), at[1]);
        const Json params = Json::object({{"resume", Json::object({{"position", position}})}});
        const auto joined = co_await after.join("assets:demo", params);
        EXPECT_EQ(joined.response["resume"]["status"], Json("resumed"));
        for (const char* tag : {"AW-2", "AW-3"}) {
            const auto missed = co_await require(co_await after.next("asset_created"));
            EXPECT_EQ(missed.payload["asset"]["tag"], Json(tag));
        }
        co_await api.asset("AW-4");
        const auto next = co_await require(co_await after.next("asset_created"));
        EXPECT_EQ(next.payload["asset"]["tag"], Json("AW-4"));

        const Json unknown = Json::object(
            {{"resume", Json::object({{"position", Json::object({{"elsewhere", 3}})}})}});
        ChannelTest stranger = co_await client_of(api);
        EXPECT_EQ((co_await stranger.join("activity:demo", unknown)).response["resume"]["status"],
                  Json("resync"));
        co_return Result<>();
    });
}

TEST(Channels, activity_and_imports_are_told_to_their_tenant) {
    with_api([](const Api& api) -> Task<Result<>> {
        ChannelTest client = co_await client_of(api);
        EXPECT_EQ((co_await client.join("activity:demo")).status, "ok");
        EXPECT_EQ((co_await client.join("imports:demo")).status, "ok");
        co_await api.asset("CH-2");
        const auto activity = co_await require(co_await client.next("activity_created"));
        EXPECT_EQ(activity.payload["transaction"]["asset_tag"], Json("CH-2"));
        co_await require(imports::start(api.scope(), "x.csv", "tag,name\nI-1,x\n"));
        std::string status;
        while (status != "completed") {
            const auto progress = co_await require(co_await client.next("import_progress"));
            status = progress.payload["import"].get<std::string>("status").value_or("");
        }
        co_return Result<>();
    });
}

TEST(Channels, people_are_told_with_how_many_assets_they_have) {
    with_api(
        [](const Api& api) -> Task<Result<>> {
            const std::string person = co_await api.employee("active");
            const auto counted = [](const ChannelTest::Frame& told) {
                return told.payload["employee"].get<std::int64_t>("asset_count").value_or(-1);
            };
            const std::int64_t before = (co_await api.get("/employees/" + person))
                                            .json()["data"]
                                            .get<std::int64_t>("asset_count")
                                            .value_or(-1);
            ChannelTest client = co_await client_of(api);
            EXPECT_EQ((co_await client.join("employees:demo")).status, "ok");
            std::vector<std::string> ids;
            for (const char* tag : {"EM-1", "EM-2"}) {
                ids.emplace_back((co_await api.asset(tag))["id"].as_string());
                const TestResponse given = co_await api.post(
                    "/assets/" + ids.back() + "/assign", Json::object({{"employee_id", person}}));
                EXPECT_EQ(given.status, 200) << given.body;
                const auto told = co_await require(co_await client.next("employee_updated"));
                EXPECT_EQ(told.payload["employee"]["id"], Json(person));
                EXPECT_FALSE(told.payload["employee"].contains("tenant"));
                EXPECT_EQ(counted(told), before + static_cast<std::int64_t>(ids.size()));
            }
            EXPECT_EQ((co_await api.post("/assets/" + ids[0] + "/return", Json::object({}))).status,
                      200);
            const auto returned = co_await require(co_await client.next("employee_updated"));
            EXPECT_EQ(counted(returned), before + 1);
            EXPECT_EQ(
                (co_await api.send(net::Method::delete_, "/assets/" + ids[1], {}, "demo")).status,
                204);
            const auto deleted = co_await require(co_await client.next("employee_updated"));
            EXPECT_EQ(counted(deleted), before);
            co_return Result<>();
        },
        {.seeded = true});
}

TEST(DeviceChannels, a_device_reports_and_obeys) {
    with_api([](const Api& api) -> Task<Result<>> {
        const std::string topic = "device:demo:02:00:00:00:00:AA";
        ChannelTest device = co_await client_of(api);
        ChannelTest page = co_await client_of(api);
        const auto wrong =
            co_await device.join(topic, Json::object({{"name", 5}, {"simulated", "yes"}}));
        EXPECT_EQ(wrong.status, "error");
        EXPECT_EQ(wrong.response["errors"].size(), 3U);
        const Json says =
            Json::object({{"name", "Gate"}, {"firmware", "2.1"}, {"simulated", true}});
        EXPECT_EQ((co_await device.join(topic, says)).response["errors"][0]["field"],
                  Json("token"));
        Json params = says;
        params.set("token", "a guess");
        EXPECT_EQ((co_await device.join(topic, params)).response["reason"], Json("unauthorized"));
        const Json mac = Json::object({{"mac", "02:00:00:00:00:AA"}});
        const TestResponse issued =
            co_await api.post("/devices/tokens", Json::object({{"devices", Json::array({mac})}}));
        EXPECT_EQ(issued.status, 201) << issued.body;
        EXPECT_EQ(issued.headers.get("cache-control"), "no-store");
        params.set("token", issued.json()["data"][0]["token"]);
        const auto joined = co_await device.join(topic, params);
        EXPECT_EQ(joined.status, "ok") << joined.data;

        const auto devices = co_await page.join("devices:demo");
        EXPECT_EQ(devices.status, "ok");
        const Json& gate = devices.response["devices"][0];
        EXPECT_EQ(gate["mac"], Json("02:00:00:00:00:aa"));
        EXPECT_EQ(gate["name"], Json("Gate"));
        EXPECT_EQ(gate["online"], Json(true));
        EXPECT_EQ(gate["simulated"], Json(true));
        EXPECT_TRUE(gate["metrics"].is_null());
        const std::string id(gate["id"].as_string());

        EXPECT_EQ((co_await device.push(topic, "metrics", metrics(90))).status, "ok");
        std::string light;
        while (light != "red") {
            const auto changed = co_await page.next("devices_changed");
            if (!changed) continue;  // the collector looks once a second
            light = changed->payload["devices"][0].get<std::string>("light").value_or("");
        }
        const auto bad = co_await device.push(topic, "metrics", Json::object({{"cpu", 900}}));
        EXPECT_EQ(bad.status, "error");
        EXPECT_GE(bad.response["errors"].size(), 1U);
        EXPECT_EQ((co_await device.push(topic, "pong")).status, "ok");

        const Json blink = Json::object({{"id", id}, {"action", "blink"}});
        EXPECT_EQ((co_await page.push("devices:demo", "action", blink)).status, "ok");
        const auto action = co_await require(co_await device.next("action"));
        EXPECT_EQ(action.payload["action"], Json("blink"));
        const auto dance = co_await page.push("devices:demo", "action",
                                              Json::object({{"id", id}, {"action", "dance"}}));
        EXPECT_EQ(dance.status, "error");
        EXPECT_EQ(dance.response["errors"][0]["field"], Json("action"));

        EXPECT_EQ((co_await api.get("/devices/" + id)).status, 200);
        const TestResponse list = co_await api.get("/devices");
        EXPECT_EQ(list.json()["meta"]["total"], Json(1));
        EXPECT_EQ((co_await api.send(net::Method::get, "/devices/" + id, {}, "other")).status, 404);

        EXPECT_EQ((co_await device.leave(topic)).status, "ok");
        ChannelTest::Answer late = co_await page.push("devices:demo", "action", blink);
        for (int i = 0; i < 100 && late.status == "ok"; ++i)
            late = co_await page.push("devices:demo", "action", blink);
        EXPECT_EQ(late.response["reason"], Json("offline"));

        const std::string token = "/devices/" + id + "/token";
        EXPECT_EQ((co_await api.send(net::Method::delete_, token, {}, "other")).status, 404);
        EXPECT_EQ((co_await api.send(net::Method::delete_, token, {}, "demo")).status, 204);
        EXPECT_EQ((co_await device.join(topic, params)).response["reason"], Json("unauthorized"));
        co_return Result<>();
    });
}

}  // namespace assetronics::testing::channels_test
