#include <gtest/gtest.h>

#include <algorithm>

#include "apps/assetronics/test/api_testing.hpp"

namespace assetronics::testing {
namespace {

using namespace bennu;
using net::Method;

Json holder(const std::string& employee) {
    return Json::object({{"employee_id", employee}});
}
Json with_status(const std::string& status) {
    return Json::object({{"asset", Json::object({{"status", status}})}});
}

TEST(Assignment, hands_out_and_takes_back) {
    with_api(
        [](const Api& api) -> Task<Result<>> {
            const std::string person = co_await api.employee();
            const Json asset = co_await api.asset("NEW-1");
            const std::string path = "/assets/" + std::string(asset["id"].as_string());
            const Json before = (co_await api.get("/employees/" + person)).json()["data"];

            const TestResponse out =
                co_await api.post(path + "/assign", Json::object({{"employee_id", person},
                                                                  {"assignment_type", "loaner"},
                                                                  {"expected_return", "2026-12-24"},
                                                                  {"notes", "for the fair"}}));
            EXPECT_EQ(out.status, 200) << out.body;
            const Json held = out.json()["data"];
            EXPECT_EQ(held["status"], Json("assigned"));
            EXPECT_EQ(held["employee_id"], Json(person));
            EXPECT_EQ(held["employee_name"], before["name"]);
            EXPECT_EQ(held["assignment_type"], Json("loaner"));
            EXPECT_EQ(held["expected_return"], Json("2026-12-24"));
            EXPECT_TRUE(held["assigned_at"].is_string());
            const Json after = (co_await api.get("/employees/" + person)).json()["data"];
            EXPECT_EQ(after["asset_count"].as_int(), before["asset_count"].as_int() + 1);

            const TestResponse back = co_await api.post(
                path + "/return", Json::object({{"condition", "fair"}, {"notes", "scratched"}}));
            EXPECT_EQ(back.status, 200) << back.body;
            const Json returned = back.json()["data"];
            EXPECT_EQ(returned["status"], Json("in_stock"));
            EXPECT_EQ(returned["condition"], Json("fair"));
            for (const char* field : {"employee_id", "employee_name", "assigned_at",
                                      "assignment_type", "expected_return"}) {
                EXPECT_TRUE(returned[field].is_null()) << field;
            }
            const Json rows = (co_await api.get(path + "/history")).json()["data"];
            EXPECT_EQ(rows[0]["type"], Json("return"));
            EXPECT_EQ(rows[0]["description"], Json("scratched"));
            EXPECT_EQ(rows[0]["employee_id"], Json(person));
            EXPECT_EQ(rows[1]["type"], Json("assignment"));
            EXPECT_EQ(rows[1]["from_status"], Json("in_stock"));
            EXPECT_EQ(rows[1]["to_status"], Json("assigned"));
            co_return Result<>();
        },
        {.seeded = true});
}

TEST(Assignment, refuses_what_contradicts_the_present) {
    with_api(
        [](const Api& api) -> Task<Result<>> {
            const std::string person = co_await api.employee();
            const std::string left = co_await api.employee("terminated");
            const Json asset = co_await api.asset("NEW-1");
            const std::string path = "/assets/" + std::string(asset["id"].as_string());
            struct Case {
                Method method;
                std::string call;
                Json body;
                int status;
                std::string errors;
            };
            const std::vector<Case> cases{
                {Method::post, "/return", {}, 409, "-:not_assigned"},
                {Method::post, "/assign", {}, 422, "employee_id:required"},
                {Method::post, "/assign", holder("x"), 422, "employee_id:invalid"},
                {Method::post, "/assign", holder("0190b1c2-0000-7000-8000-000000000000"), 422,
                 "employee_id:not_found"},
                {Method::post, "/assign", holder(left), 422, "employee_id:terminated"},
                {Method::post, "/assign", Json::object({{"employee", person}}), 422,
                 "employee:unknown employee_id:required"},
                {Method::patch, "", with_status("retired"), 200, ""},
                {Method::post, "/assign", holder(person), 409, "-:not_assignable"},
                {Method::patch, "", with_status("lost"), 200, ""},
                {Method::post, "/assign", holder(person), 409, "-:not_assignable"},
                {Method::patch, "", with_status("in_repair"), 200, ""},
                {Method::post, "/assign", holder(person), 200, ""},
                {Method::post, "/assign", holder(person), 409, "-:already_assigned"},
                {Method::patch, "", with_status("in_stock"), 409, "-:assigned"},
                {Method::patch, "", with_status("assigned"), 200, ""},
                {Method::patch, "", with_status("stolen"), 200, ""},
                {Method::patch, "", with_status("assigned"), 422, "status:assigned"},
                {Method::post, "/return", {}, 200, ""},
                {Method::post, "/return", Json::object({{"condition", "ok"}}), 422,
                 "condition:not_one_of"},
            };
            for (const Case& each : cases) {
                const TestResponse answer =
                    co_await api.send(each.method, path + each.call, each.body);
                EXPECT_EQ(answer.status, each.status)
                    << each.call << to_json(each.body) << answer.body;
                EXPECT_EQ(errors_of(answer), each.errors) << each.call << to_json(each.body);
            }
            co_return Result<>();
        },
        {.seeded = true});
}

TEST(Assignment, of_many_at_once_exactly_one_wins) {
    with_api(
        [](const Api& api) -> Task<Result<>> {
            const std::string person = co_await api.employee();
            const Json asset = co_await api.asset("NEW-1");
            const std::string path = "/api/v1/assets/" + std::string(asset["id"].as_string());
            const std::vector<TestRequest> assigns(
                8, TestRequest{.method = Method::post,
                               .target = path + "/assign",
                               .headers = {{"content-type", "application/json"}},
                               .body = to_json(holder(person))});
            std::vector<int> statuses = co_await all_at_once(api, assigns);
            std::ranges::sort(statuses);
            EXPECT_EQ(statuses, (std::vector<int>{200, 409, 409, 409, 409, 409, 409, 409}));
            const std::vector<TestRequest> returns(
                4, TestRequest{.method = Method::post, .target = path + "/return"});
            statuses = co_await all_at_once(api, returns);
            std::ranges::sort(statuses);
            EXPECT_EQ(statuses, (std::vector<int>{200, 409, 409, 409}));
            const TestResponse history =
                co_await api.get("/assets/" + std::string(asset["id"].as_string()) + "/history");
            EXPECT_EQ(history.json()["meta"]["total"], Json(3));
            co_return Result<>();
        },
        {.seeded = true});
}

}  // namespace
}  // namespace assetronics::testing
