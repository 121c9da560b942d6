#include <gtest/gtest.h>

#include "apps/assetronics/test/api_testing.hpp"

namespace assetronics::testing {
namespace {

using namespace bennu;
using net::Method;

Json batch_of(Json::Array items) {
    return Json::object({{"assets", Json(std::move(items))}});
}

Json numbered(std::size_t from, std::size_t count) {
    Json items = Json::array();
    for (std::size_t i = from; i < from + count; ++i) {
        items.push_back(Json::object({{"tag", "N-" + std::to_string(i)}, {"name", "Number"}}));
    }
    return items;
}

std::string id_of(const TestResponse& response, std::size_t index) {
    return response.json()["data"][index].get<std::string>("id").value_or("");
}

TEST(Batches, create_all_some_or_none) {
    with_api([](const Api& api) -> Task<Result<>> {
        const TestResponse all = co_await api.post("/assets", batch_of(numbered(0, 3).as_array()));
        EXPECT_EQ(all.status, 201);
        EXPECT_EQ(all.json()["data"].size(), 3u);

        Json mixed = numbered(2, 3);  // N-2 is taken
        mixed.push_back(Json::object({{"tag", "N-3"}, {"name", "twice in one batch"}}));
        mixed.push_back(Json::object({{"tag", "x y"}, {"cost", -1}}));
        mixed.push_back(Json(7));
        const TestResponse some = co_await api.post("/assets", batch_of(mixed.as_array()));
        EXPECT_EQ(some.status, 206);
        EXPECT_EQ(some.json()["success_count"], Json(2));
        EXPECT_EQ(some.json()["fail_count"], Json(4));
        EXPECT_EQ(some.json()["data"].size(), 2u);
        EXPECT_EQ(errors_of(some),
                  "0/tag:taken 3/tag:taken 4/name:required 4/tag:format 4/cost:out_of_range "
                  "5/-:type");

        const TestResponse none = co_await api.post("/assets", batch_of(numbered(0, 2).as_array()));
        EXPECT_EQ(none.status, 422);
        EXPECT_EQ(errors_of(none), "0/tag:taken 1/tag:taken");

        const TestResponse list = co_await api.get("/assets");
        EXPECT_EQ(list.json()["meta"]["total"], Json(5));
        const TestResponse ledger = co_await api.get("/activity");
        EXPECT_EQ(ledger.json()["meta"]["total"], Json(5)) << "a row for each, and for no other";
        co_return Result<>();
    });
}

TEST(Batches, more_than_one_chunk) {
    with_api([](const Api& api) -> Task<Result<>> {
        Json items = numbered(0, 2500);
        items.as_array()[1500] = items[3];  // across the border of two chunks
        const TestResponse some = co_await api.post("/assets", batch_of(items.as_array()));
        EXPECT_EQ(some.status, 206);
        EXPECT_EQ(some.json()["success_count"], Json(2499));
        EXPECT_EQ(errors_of(some), "1500/tag:taken");
        co_return Result<>();
    });
}

TEST(Batches, update) {
    with_api([](const Api& api) -> Task<Result<>> {
        const TestResponse made = co_await api.post("/assets", batch_of(numbered(0, 3).as_array()));
        const std::string first = id_of(made, 0), second = id_of(made, 1), third = id_of(made, 2);
        const TestResponse all =
            co_await api.send(Method::patch, "/assets",
                              batch_of({Json::object({{"id", first}, {"name", "One"}}),
                                        Json::object({{"id", second}, {"cost", 5}})}));
        EXPECT_EQ(all.status, 200) << all.body;
        EXPECT_EQ(all.json()["success_count"], Json(2));
        EXPECT_EQ(all.json()["data"][0]["name"], Json("One"));

        const TestResponse some = co_await api.send(
            Method::patch, "/assets",
            batch_of({Json::object({{"id", first}, {"tag", "N-1"}}),
                      Json::object({{"id", third}, {"name", "Three"}}),
                      Json::object({{"id", "0190b1c2-0000-7000-8000-000000000000"}, {"name", "x"}}),
                      Json::object({{"name", "no id"}}),
                      Json::object({{"id", second}, {"status", "sleeping"}})}));
        EXPECT_EQ(some.status, 206);
        EXPECT_EQ(errors_of(some), "0/tag:taken 2/id:not_found 3/id:required 4/status:not_one_of");
        EXPECT_EQ(some.json()["data"][0]["name"], Json("Three"));

        const TestResponse none = co_await api.send(
            Method::patch, "/assets", batch_of({Json::object({{"id", first}, {"name", ""}})}));
        EXPECT_EQ(none.status, 422);
        EXPECT_EQ(errors_of(none), "0/name:required");

        const TestResponse bad = co_await api.send(Method::patch, "/assets",
                                                   batch_of({Json::object({{"id", "seven"}})}));
        EXPECT_EQ(bad.status, 400);
        co_return Result<>();
    });
}

TEST(Batches, remove) {
    with_api([](const Api& api) -> Task<Result<>> {
        const TestResponse made = co_await api.post("/assets", batch_of(numbered(0, 3).as_array()));
        const auto ids = [](std::vector<std::string> list) {
            Json items = Json::array();
            for (const std::string& id : list) items.push_back(id);
            return Json::object({{"ids", std::move(items)}});
        };
        const std::string nobody = "0190b1c2-0000-7000-8000-000000000000";
        const TestResponse some =
            co_await api.send(Method::delete_, "/assets", ids({id_of(made, 0), nobody}));
        EXPECT_EQ(some.status, 206);
        EXPECT_EQ(some.json()["data"], Json::array({id_of(made, 0)}));
        EXPECT_EQ(errors_of(some), "1/id:not_found");
        const TestResponse all =
            co_await api.send(Method::delete_, "/assets", ids({id_of(made, 1), id_of(made, 2)}));
        EXPECT_EQ(all.status, 200);
        EXPECT_EQ(all.json()["success_count"], Json(2));
        EXPECT_EQ((co_await api.send(Method::delete_, "/assets", ids({nobody}))).status, 404);
        EXPECT_EQ((co_await api.send(Method::delete_, "/assets", ids({"seven"}))).status, 400);
        EXPECT_EQ((co_await api.send(Method::delete_, "/assets", ids({}))).status, 422);
        EXPECT_EQ((co_await api.send(Method::delete_, "/assets")).status, 422);
        co_return Result<>();
    });
}

}  // namespace
}  // namespace assetronics::testing
