#include "apps/assetronics/web/channels/ops_channel.hpp"

#include <gtest/gtest.h>

#include <map>

#include "apps/assetronics/test/api_testing.hpp"
#include "apps/assetronics/web/channels/channels.hpp"
#include "bennu/base/log.hpp"
#include "bennu/channel/testing.hpp"

namespace assetronics::testing::ops_channel_test {

using namespace bennu;
using namespace std::chrono_literals;

const std::string topic(ops::topic);

/// What a page makes of the messages.
struct Viewer {
    ChannelTest client;
    std::map<std::int64_t, Json> rows;
    std::map<std::int64_t, int> beats;  ///< since the last look
    std::vector<Json> restarts;         ///< in order of arrival
    std::int64_t seq = 0;

    void take(const Json& row) { rows[row["key"].as_int()] = row; }
    Task<Result<>> read_everything() {
        const auto frame = co_await require(co_await client.next("everything"));
        seq = frame.payload["seq"].as_int();
        rows.clear();
        for (const Json& row : frame.payload["processes"].as_array()) take(row);
        EXPECT_GT(frame.payload["totals"]["shards"].size(), 0U);
        EXPECT_GT(frame.payload["totals"]["memory"].size(), 0U);
        co_return {};
    }
    Task<Result<>> read_changes() {
        const auto frame = co_await require(co_await client.next("changes"));
        const Json& payload = frame.payload;
        if (payload["seq"].as_int() <= seq) co_return {};
        EXPECT_EQ(payload["seq"].as_int(), seq + 1);
        seq = payload["seq"].as_int();
        for (const Json& row : payload["added"].as_array()) take(row);
        for (const Json& fields : payload["changed"].as_array()) {
            EXPECT_GT(fields.size(), 1U);
            for (const JsonMember& member : fields.as_object())
                rows[fields["key"].as_int()].set(member.key, member.value);
        }
        for (const Json& key : payload["removed"].as_array()) rows.erase(key.as_int());
        for (const Json& beat : payload["beats"].as_array()) ++beats[beat[0].as_int()];
        for (const Json& restart : payload["restarts"].as_array()) restarts.push_back(restart);
        co_return {};
    }
    const Json* row(std::string_view id) const {
        for (const auto& [key, row] : rows) {
            if (row["id"] == Json(id)) return &row;
        }
        return nullptr;
    }
    std::string pid(std::string_view id) const {
        const Json* found = row(id);
        return found ? std::string((*found)["pid"].as_string()) : "";
    }
    int beats_of(std::string_view id) { return beats[(*row(id))["key"].as_int()]; }
    Task<ChannelTest::Answer> act(std::string action, std::string pid, Json more = Json::object()) {
        more.set("pid", pid);
        co_return co_await client.push(topic, action, more);
    }
    Task<Result<>> until(Function<bool()> seen) {
        for (int i = 0; i < 40 && !seen(); ++i) co_await require(read_changes());
        EXPECT_TRUE(seen());
        co_return {};
    }
};

Task<Result<Viewer>> viewer_of(const Api& api, ops::Access access, std::string name) {
    auto options = std::make_shared<const SocketOptions>(web::socket_options(api.repo(), access));
    ConnectRequest request;
    request.params = Json::object({{"name", name}});
    Viewer viewer{
        .client = co_await require(co_await ChannelTest::connect(options, std::move(request))),
        .rows = {},
        .beats = {},
        .restarts = {}};
    const auto joined = co_await viewer.client.join(topic);
    EXPECT_EQ(joined.status, "ok") << joined.data;
    EXPECT_EQ(joined.response["practice"], Json(access.development));
    co_await require(viewer.read_everything());
    co_return viewer;
}

const ops::Access development{.development = true};

TEST(OpsChannel, without_a_token_only_development_may_look) {
    with_api([](const Api& api) -> Task<Result<>> {
        const auto reason = [&](ops::Access access, Json params) -> Task<std::string> {
            auto options =
                std::make_shared<const SocketOptions>(web::socket_options(api.repo(), access));
            auto client = co_await ChannelTest::connect(options);
            const auto joined = co_await client->join(topic, std::move(params));
            co_return joined.status == "ok"
                ? "ok"
                : joined.response.get<std::string>("reason").value_or("none");
        };
        const Secret token("a token of some length");
        const Json none = Json::object();
        const Json right = Json::object({{"token", "a token of some length"}});
        EXPECT_EQ(co_await reason({}, none), "ops_disabled");
        EXPECT_EQ(co_await reason({}, right), "ops_disabled");
        EXPECT_EQ(co_await reason({.development = true}, none), "ok");
        for (const bool dev : {false, true}) {
            EXPECT_EQ(co_await reason({dev, token}, none), "token_required");
            EXPECT_EQ(co_await reason({dev, token}, Json::object({{"token", 7}})), "invalid");
            EXPECT_EQ(co_await reason({dev, token}, right), "ok");
        }
        co_return {};
    });
}

TEST(OpsChannel, a_crash_is_told_to_all_viewers_and_leaves_the_neighbours_alone) {
    LogCapture log;
    with_api([](const Api& api) -> Task<Result<>> {
        Viewer ada = co_await require(viewer_of(api, development, "Ada"));
        Viewer bob = co_await require(viewer_of(api, development, "Bob"));
        const Json* root = ada.row("assetronics");
        EXPECT_TRUE(root);
        EXPECT_EQ((*root)["strategy"], Json("one_for_one"));
        EXPECT_EQ((*ada.row("devices"))["parent"], (*root)["key"]);
        EXPECT_GT((*ada.row("devices"))["bytes"].as_int(), 64);
        const std::string devices = ada.pid("devices"), imports = ada.pid("imports");
        for (int i = 0; i < 3; ++i) co_await require(ada.read_changes());
        ada.beats.clear();

        EXPECT_EQ((co_await ada.act("crash", devices)).status, "ok");
        EXPECT_EQ((co_await bob.act("hang", imports)).response["reason"], Json("too_soon"));
        for (Viewer* viewer : {&ada, &bob}) {
            co_await require(viewer->until([&] {
                return !viewer->restarts.empty() && viewer->pid("devices") != devices &&
                       !viewer->pid("devices").empty();
            }));
            const Json& restart = viewer->restarts.back();
            EXPECT_EQ(restart["child"], Json("devices"));
            EXPECT_EQ(restart["was"], Json(devices));
            EXPECT_EQ(restart["pid"], Json(viewer->pid("devices")));
            EXPECT_GT(restart["took_us"].as_double(), 0);
            EXPECT_NE(restart["reason"].as_string().find("crashed on purpose by Ada"),
                      std::string::npos);
            EXPECT_EQ((*viewer->row("devices"))["restarts"], Json(1));
            EXPECT_EQ(viewer->pid("imports"), imports);
        }
        const std::int64_t began = ada.seq;
        ada.beats.clear();
        for (int i = 0; i < 6; ++i) co_await require(ada.read_changes());
        EXPECT_GE(ada.beats_of("imports"), ada.seq - began - 1);
        EXPECT_GE(ada.beats_of("devices"), ada.seq - began - 1);
        const auto gone = co_await ada.act("kill", devices);
        EXPECT_EQ(gone.response["reason"], Json("gone"));
        co_return {};
    });
}

TEST(OpsChannel, a_hung_process_has_no_beat_until_it_is_back) {
    LogCapture log;
    with_api([](const Api& api) -> Task<Result<>> {
        Viewer ada = co_await require(viewer_of(api, development, "Ada"));
        EXPECT_EQ(
            (co_await ada.act("hang", ada.pid("imports"), Json::object({{"seconds", 2}}))).status,
            "ok");
        for (int i = 0; i < 2; ++i) co_await require(ada.read_changes());
        const std::int64_t began = ada.seq;
        ada.beats.clear();
        for (int i = 0; i < 4; ++i) co_await require(ada.read_changes());
        EXPECT_EQ(ada.beats_of("imports"), 0);
        EXPECT_GE(ada.beats_of("devices"), ada.seq - began - 1);
        EXPECT_EQ((*ada.row("imports"))["activity"], Json("waiting"));
        EXPECT_GE((*ada.row("imports"))["mailbox"].as_int(), 1);
        co_await require(ada.until([&] { return ada.beats_of("imports") > 2; }));
        EXPECT_EQ((*ada.row("imports"))["mailbox"], Json(0));
        EXPECT_TRUE(ada.restarts.empty());
        co_return {};
    });
}

TEST(OpsChannel, refuses_what_would_take_the_node_down_and_what_makes_no_sense) {
    LogCapture log;
    with_api([](const Api& api) -> Task<Result<>> {
        Viewer ada = co_await require(viewer_of(api, development, "Ada"));
        const auto reason = [&](std::string action, std::string pid) -> Task<std::string> {
            const auto answer = co_await ada.act(action, pid);
            co_return answer.response.get<std::string>("reason").value_or(answer.status);
        };
        for (const char* action : {"crash", "hang", "kill"}) {
            EXPECT_EQ(co_await reason(action, ada.pid("assetronics")), "guarded");
            EXPECT_EQ(co_await reason(action, self().to_string()), "not_supervised");
            EXPECT_EQ(co_await reason(action, "<9.1.1>"), "gone");
            EXPECT_EQ(co_await reason(action, "<0.4000000000.1>"), "gone");
            EXPECT_EQ(co_await reason(action, "nonsense"), "gone");
            EXPECT_EQ(co_await reason(action, ""), "gone");
        }
        EXPECT_EQ(co_await reason("hang", ada.pid("sampler")), "guarded");
        for (const Json& seconds : {Json(0), Json(31), Json("ten")}) {
            const auto answer =
                co_await ada.act("hang", ada.pid("devices"), Json::object({{"seconds", seconds}}));
            EXPECT_EQ(answer.response["errors"][0]["field"], Json("seconds"));
        }
        const auto unknown = co_await ada.client.push(topic, "dance");
        EXPECT_EQ(unknown.status, "error");
        co_return {};
    });
}

TEST(OpsChannel, the_crew_comes_crashes_and_goes) {
    LogCapture log;
    with_api([](const Api& api) -> Task<Result<>> {
        Viewer ada = co_await require(viewer_of(api, development, "Ada"));
        const auto practice = [&](bool running) -> Task<ChannelTest::Answer> {
            co_return co_await ada.client.push(topic, "practice",
                                               Json::object({{"running", running}}));
        };
        EXPECT_EQ((co_await practice(false)).status, "error");
        EXPECT_EQ((co_await practice(true)).status, "ok");
        EXPECT_EQ((co_await practice(true)).response["reason"], Json("already_started"));
        co_await require(ada.until([&] { return !ada.pid("counter-8").empty(); }));
        EXPECT_EQ((*ada.row("counter-8"))["practice"], Json(true));
        EXPECT_EQ((*ada.row("in-line"))["strategy"], Json("rest_for_one"));

        std::map<std::string, std::string> before;
        for (int i = 1; i <= 8; ++i) {
            const std::string id = "counter-" + std::to_string(i);
            before[id] = ada.pid(id);
        }
        EXPECT_EQ((co_await ada.act("crash", before["counter-2"])).status, "ok");
        co_await bennu::sleep(100ms);
        EXPECT_EQ((co_await ada.act("kill", before["counter-6"])).status, "ok");
        co_await require(ada.until([&] {
            return !ada.pid("counter-8").empty() && ada.pid("counter-8") != before["counter-8"] &&
                   ada.pid("counter-2") != before["counter-2"];
        }));
        for (const char* same : {"counter-1", "counter-3", "counter-4", "counter-5"})
            EXPECT_EQ(ada.pid(same), before[same]) << same;
        EXPECT_NE(ada.pid("counter-7"), before["counter-7"]);

        EXPECT_EQ((co_await practice(false)).status, "ok");
        co_await require(ada.until([&] { return !ada.row("practice"); }));
        EXPECT_EQ(ada.row("counter-1"), nullptr);
        co_return {};
    });
}

TEST(OpsChannel, the_crew_is_for_development_only) {
    with_api([](const Api& api) -> Task<Result<>> {
        const Secret token("a token of some length");
        auto options =
            std::make_shared<const SocketOptions>(web::socket_options(api.repo(), {false, token}));
        auto client = co_await require(co_await ChannelTest::connect(options));
        const Json params = Json::object({{"token", "a token of some length"}});
        const auto joined = co_await client.join(topic, params);
        EXPECT_EQ(joined.response["practice"], Json(false));
        const auto refused =
            co_await client.push(topic, "practice", Json::object({{"running", true}}));
        EXPECT_EQ(refused.response["reason"], Json("development_only"));
        co_return {};
    });
}

TEST(OpsChannel, drills_leave_a_restart_of_the_budget_to_real_faults) {
    LogCapture log;
    with_api([](const Api& api) -> Task<Result<>> {
        Viewer ada = co_await require(viewer_of(api, development, "Ada"));
        int done = 0;
        std::string reason;
        for (int i = 0; i < 6 && reason != "too_soon"; ++i) {
            const std::string id = i % 2 == 0 ? "devices" : "imports", was = ada.pid(id);
            const auto answer = co_await ada.act(i % 2 == 0 ? "kill" : "crash", was);
            reason = answer.response.get<std::string>("reason").value_or("");
            if (answer.status != "ok") continue;
            ++done;
            co_await require(ada.until([&] { return ada.pid(id) != was && !ada.pid(id).empty(); }));
        }
        EXPECT_EQ(done, 2);
        EXPECT_EQ(reason, "too_soon");
        co_return {};
    });
}

TEST(OpsChannel, viewers_see_the_end_of_the_process_that_looks_and_go_on) {
    LogCapture log;
    with_api([](const Api& api) -> Task<Result<>> {
        Viewer ada = co_await require(viewer_of(api, development, "Ada"));
        const std::string before = ada.pid("sampler");
        (void)co_await ada.act("kill", before);
        co_await require(ada.read_everything());
        EXPECT_NE(ada.pid("sampler"), before);
        co_await require(ada.until([&] { return ada.seq > 3; }));
        const auto again = co_await ada.client.push(topic, "refresh");
        EXPECT_EQ(again.status, "ok");
        co_await require(ada.read_everything());
        co_return {};
    });
}

}  // namespace assetronics::testing::ops_channel_test
