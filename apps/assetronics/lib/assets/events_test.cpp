#include <gtest/gtest.h>

#include <algorithm>

#include "apps/assetronics/lib/assets/assets.hpp"
#include "apps/assetronics/lib/employees/employees.hpp"
#include "apps/assetronics/test/api_testing.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace assetronics::testing {
namespace {

using namespace bennu;

/// Collects what is broadcast to one tenant.
struct Listener : Server {
    struct Count {
        using Reply = std::size_t;
    };
    struct Take {
        using Reply = std::vector<Broadcast>;
    };
    explicit Listener(std::string slug) : tenant(std::move(slug)) {}
    Task<Result<>> init() {
        const Ref<Listener> me(self());
        assets = pubsub::subscribe(me, "assets:" + tenant);
        activity = pubsub::subscribe(me, "activity:" + tenant);
        co_return Result<>();
    }
    void handle(Broadcast message) { seen.push_back(std::move(message)); }
    std::size_t handle(Count) { return seen.size(); }
    std::vector<Broadcast> handle(Take) { return std::exchange(seen, {}); }

    std::string tenant;
    pubsub::Subscription assets, activity;
    std::vector<Broadcast> seen;
};

/// The next messages, those of `activity` behind those of `assets`: each topic has an order of its
/// own. What comes too much is among the next ones.
Task<std::vector<Broadcast>> next(Ref<Listener> listener, std::size_t count) {
    for (int i = 0; i < 5000 && co_await call(listener, Listener::Count{}) < count; ++i)
        co_await bennu::sleep(std::chrono::milliseconds(1));
    std::vector<Broadcast> messages = co_await call(listener, Listener::Take{});
    std::ranges::stable_partition(messages, [](const Broadcast& each) {
        return std::string_view(each.topic()).starts_with("assets:");
    });
    co_return messages;
}

/// Events and their members, without their place in the topic.
std::string shapes_of(const std::vector<Broadcast>& messages) {
    std::string out;
    for (const Broadcast& each : messages) {
        out += std::string(each.event()) + "(";
        for (const JsonMember& member : each.payload().as_object()) {
            if (member.key != "_at") out += member.key + ",";
        }
        out.back() = ')';
        out += ' ';
    }
    return out;
}

TEST(AssetEvents, every_change_is_told_to_its_tenant_and_to_no_other) {  // proves 3.7
    with_api(
        [](const Api& api) -> Task<Result<>> {
            auto ours = co_await require(start<Listener>({}, std::string("demo")));
            auto theirs = co_await require(start<Listener>({}, std::string("other")));
            const auto told = [&]() -> Task<std::string> {
                co_return shapes_of(co_await next(ours, 2));
            };
            const Scope scope = api.scope();
            const auto params = [](std::string name) {
                return Json::object({{"tag", "EV-1"}, {"name", std::move(name)}});
            };
            const assets::Asset made = co_await require(assets::create(scope, params("First")));
            const auto messages = co_await next(ours, 2);
            EXPECT_EQ(shapes_of(messages), "asset_created(asset) activity_created(transaction) ");
            EXPECT_EQ(messages[0].topic(), "assets:demo");
            EXPECT_EQ(messages[0].payload()["asset"]["tag"], Json("EV-1"));
            EXPECT_FALSE(messages[0].payload()["asset"].contains("tenant"));
            EXPECT_EQ(messages[1].topic(), "activity:demo");
            EXPECT_EQ(messages[1].payload()["transaction"]["performed_by"], Json("Test"));

            co_await require(assets::update(scope, made.id, params("Second")));
            EXPECT_EQ(co_await told(), "asset_updated(asset) activity_created(transaction) ");
            // Nothing is told where nothing changed, or what was refused: the next is what follows.
            co_await require(assets::update(scope, made.id, params("Second")));
            static_cast<void>(co_await assets::update(scope, made.id, params("")));

            const std::string person = co_await api.employee();
            co_await require(
                assets::assign(scope, made.id, Json::object({{"employee_id", person}})));
            EXPECT_EQ(co_await told(),
                      "asset_assigned(asset,transaction) activity_created(transaction) ");
            co_await require(assets::give_back(scope, made.id, Json::object()));
            EXPECT_EQ(co_await told(),
                      "asset_returned(asset,transaction) activity_created(transaction) ");
            co_await require(assets::remove(scope, made.id));
            EXPECT_EQ(co_await told(), "asset_deleted(id) activity_created(transaction) ");
            EXPECT_EQ(shapes_of(co_await call(theirs, Listener::Take{})), "");
            co_return Result<>();
        },
        {.seeded = true});
}

TEST(AssetEvents, a_large_batch_is_told_as_one_event) {
    with_api([](const Api& api) -> Task<Result<>> {
        auto ours = co_await require(start<Listener>({}, std::string("demo")));
        Json::Array items;
        for (int i = 0; i < 150; ++i) {
            items.push_back(Json::object({{"tag", "E-" + std::to_string(i)}, {"name", "x"}}));
        }
        co_await require(assets::create_all(api.scope(), std::move(items)));
        const auto messages = co_await next(ours, 51);
        EXPECT_EQ(messages.at(0).event(), "assets_imported");
        EXPECT_EQ(messages.at(0).payload()["count"], Json(150));
        EXPECT_EQ(messages.size(), 51u) << "and what the activity feed has room for";
        co_return Result<>();
    });
}

TEST(AssetLedger, a_change_without_its_ledger_row_does_not_happen) {  // proves 2.6
    with_api([](const Api& api) -> Task<Result<>> {
        co_await require(api.repo().execute_script("alter table transactions rename to broken"));
        const Json params = Json::object({{"tag", "EV-1"}, {"name", "Never"}});
        Result<assets::Asset> made = co_await assets::create(api.scope(), params);
        EXPECT_FALSE(made);
        EXPECT_EQ((co_await api.get("/assets")).json()["meta"]["total"], Json(0));
        co_return Result<>();
    });
}

}  // namespace
}  // namespace assetronics::testing
