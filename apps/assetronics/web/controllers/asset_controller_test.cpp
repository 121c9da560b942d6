#include <gtest/gtest.h>

#include "apps/assetronics/test/api_testing.hpp"

// Each call on one asset and on the list, as the contract describes it.
namespace assetronics::testing {
namespace {

using namespace bennu;
using net::Method;

std::string tags_of(const TestResponse& response) {
    std::string out;
    const Json body = response.json();
    for (std::size_t i = 0; i < body["data"].size(); ++i) {
        out += (i ? " " : "") + std::string(body["data"][i]["tag"].as_string());
    }
    return out;
}

std::string text_of(const Json& json, std::string_view key) {
    return json.get<std::string>(key).value_or("(none)");
}

TEST(AssetApi, an_asset_has_exactly_the_fields_of_the_contract) {  // proves 3.43
    with_api([](const Api& api) -> Task<Result<>> {
        const Json asset = co_await api.asset("LT-1");
        std::string names;
        for (const JsonMember& member : asset.as_object()) names += member.key + " ";
        EXPECT_EQ(names,
                  "id tag name description category status condition make model serial "
                  "purchase_date cost vendor location warranty_end employee_id employee_name "
                  "assigned_at assignment_type expected_return notes inserted_at updated_at ");
        EXPECT_EQ(text_of(asset, "category"), "other");
        EXPECT_EQ(text_of(asset, "status"), "in_stock");
        EXPECT_EQ(text_of(asset, "condition"), "good");
        EXPECT_EQ(text_of(asset, "inserted_at").size(), 24u);
        co_return Result<>();
    });
}

TEST(AssetApi, creates_shows_changes_and_deletes) {
    with_api([](const Api& api) -> Task<Result<>> {
        const Json made =
            co_await api.asset("A/b_c.9-d", Json::object({{"name", "Grüße 🤖"},
                                                          {"cost", 1299.5},
                                                          {"condition", "new"},
                                                          {"category", "laptop"},
                                                          {"purchase_date", "2026-01-31"},
                                                          {"notes", ""}}));
        const std::string path = "/assets/" + text_of(made, "id");
        EXPECT_EQ(text_of(made, "name"), "Grüße 🤖");
        EXPECT_EQ(made["cost"], Json(1299.5));
        EXPECT_TRUE(made["notes"].is_null());
        TestResponse shown = co_await api.get(path);
        EXPECT_EQ(shown.status, 200);
        EXPECT_EQ(shown.json()["data"], made);

        for (Method method : {Method::patch, Method::put}) {
            const std::string name = method == Method::put ? "put" : "patched";
            TestResponse changed = co_await api.send(
                method, path, Json::object({{"asset", Json::object({{"name", name}})}}));
            EXPECT_EQ(changed.status, 200) << changed.body;
            EXPECT_EQ(text_of(changed.json()["data"], "name"), name);
            EXPECT_EQ(changed.json()["data"]["cost"], Json(1299.5));
        }
        TestResponse gone = co_await api.send(Method::delete_, path);
        EXPECT_EQ(gone.status, 204);
        EXPECT_EQ(gone.body, "");
        EXPECT_EQ((co_await api.get(path)).status, 404);
        EXPECT_EQ((co_await api.send(Method::delete_, path)).status, 404);
        co_return Result<>();
    });
}

TEST(AssetApi, the_history_tells_who_did_what_newest_first_and_outlives_the_asset) {
    with_api([](const Api& api) -> Task<Result<>> {
        const Json made = co_await api.asset("LT-1");
        const std::string path = "/assets/" + text_of(made, "id");
        co_await api.send(
            Method::patch, path,
            Json::object({{"asset", Json::object({{"name", "Other"}, {"make", "Dell"}})}}));
        co_await api.send(Method::patch, path,
                          Json::object({{"asset", Json::object({{"status", "in_repair"}})}}));
        // What changes nothing leaves no trace.
        co_await api.send(Method::patch, path,
                          Json::object({{"asset", Json::object({{"status", "in_repair"}})}}));
        co_await api.send(Method::delete_, path);
        const TestResponse history = co_await api.get(path + "/history");
        EXPECT_EQ(history.status, 200);
        std::string types;
        const Json rows = history.json()["data"];
        for (std::size_t i = 0; i < rows.size(); ++i) types += text_of(rows[i], "type") + " ";
        EXPECT_EQ(types, "deleted status_change updated created ");
        EXPECT_EQ(text_of(rows[1], "from_status"), "in_stock");
        EXPECT_EQ(text_of(rows[1], "to_status"), "in_repair");
        EXPECT_EQ(text_of(rows[2], "description"), "Changed name, make");
        EXPECT_EQ(history.json()["meta"]["total"], Json(4));
        const TestResponse feed = co_await api.get("/activity?limit=2");
        EXPECT_EQ(feed.json()["data"].size(), 2u);
        EXPECT_EQ(text_of(feed.json()["data"][0], "type"), "deleted");
        EXPECT_EQ((co_await api.get("/assets/0190b1c2-0000-7000-8000-000000000000/history")).status,
                  404);
        co_return Result<>();
    });
}

TEST(AssetApi, lists_with_filters_orders_pages_search_and_chosen_fields) {
    with_api([](const Api& api) -> Task<Result<>> {
        co_await api.asset("A-1", Json::object({{"cost", 50}, {"make", "Apple"}, {"name", "b%d"}}));
        co_await api.asset("A-2", Json::object({{"cost", 100}, {"status", "in_repair"}}));
        co_await api.asset("A-3", Json::object({{"cost", 100.01}, {"make", "Dell"}}));
        co_await api.asset("A-4", Json::object({{"status", "retired"}, {"serial", "XYZ123"}}));
        struct Case {
            const char* query;
            const char* tags;
        };
        const Case cases[] = {
            {"", "A-1 A-2 A-3 A-4"},
            {"sort=-tag", "A-4 A-3 A-2 A-1"},
            {"sort=-cost,tag", "A-3 A-2 A-1 A-4"},
            {"status=in_stock", "A-1 A-3"},
            {"status=in_repair,retired", "A-2 A-4"},
            {"status[ne]=in_stock", "A-2 A-4"},
            {"cost[gte]=100", "A-2 A-3"},
            {"cost%5Bgt%5D=100", "A-3"},
            {"cost[lt]=100", "A-1"},
            {"cost[lte]=100&cost[gt]=50", "A-2"},
            {"cost[eq]=100.01", "A-3"},
            {"tag=A-4&status=retired", "A-4"},
            {"q=xyz", "A-4"},
            {"q=THING%20a-2", "A-2"},
            {"q=dell", "A-3"},
            {"q=%25", "A-1"},
            {"q=nothing", ""},
            {"q=", "A-1 A-2 A-3 A-4"},
            {"page=2&page_size=3", "A-4"},
            {"page=3&page_size=2", ""},
            {"inserted_at[gte]=2020-01-01T00:00:00Z&sort=tag", "A-1 A-2 A-3 A-4"},
        };
        for (const Case& each : cases) {
            const TestResponse list = co_await api.get(std::string("/assets?") + each.query);
            EXPECT_EQ(list.status, 200) << each.query << " " << list.body;
            EXPECT_EQ(tags_of(list), each.tags) << each.query;
        }
        const TestResponse page = co_await api.get("/assets?page=2&page_size=3&select=tag,id");
        const Json body = page.json();
        EXPECT_EQ(body["meta"],
                  Json::object({{"page", 2}, {"page_size", 3}, {"total", 4}, {"total_pages", 2}}));
        EXPECT_EQ(body["data"][0].size(), 2u);
        co_return Result<>();
    });
}

TEST(AssetApi, tenants_do_not_see_each_other) {
    with_api([](const Api& api) -> Task<Result<>> {
        const Json made = co_await api.asset("LT-1");
        const std::string path = "/assets/" + text_of(made, "id");
        EXPECT_EQ((co_await api.send(Method::get, path, {}, "other")).status, 404);
        EXPECT_EQ((co_await api.send(Method::delete_, path, {}, "other")).status, 404);
        EXPECT_EQ(tags_of(co_await api.send(Method::get, "/assets", {}, "other")), "");
        const Json same =
            Json::object({{"asset", Json::object({{"tag", "LT-1"}, {"name", "Theirs"}})}});
        EXPECT_EQ((co_await api.send(Method::post, "/assets", same, "other")).status, 201);
        const TestResponse unknown = co_await api.send(Method::get, "/assets", {}, "nobody");
        EXPECT_EQ(unknown.status, 404);
        EXPECT_EQ(errors_of(unknown), "-:unknown_tenant");
        co_return Result<>();
    });
}

}  // namespace
}  // namespace assetronics::testing
