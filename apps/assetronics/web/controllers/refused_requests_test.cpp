#include <gtest/gtest.h>

#include "apps/assetronics/test/api_testing.hpp"

// What the API refuses, and how it says so.
namespace assetronics::testing {
namespace {

using namespace bennu;
using net::Method;

struct Refusal {
    Method method;
    std::string target;
    std::string body;
    int status;
    std::string errors;  ///< as `errors_of` writes them
    std::string type = "application/json";
};

Task<> expect_refusals(const Api& api, std::vector<Refusal> cases) {
    for (const Refusal& each : cases) {
        TestRequest request{.method = each.method, .target = "/api/v1" + each.target};
        if (!each.type.empty()) request.headers.emplace_back("content-type", each.type);
        request.body = each.body;
        const TestResponse answer = co_await api.raw(request);
        EXPECT_EQ(answer.status, each.status) << each.target << " " << each.body << answer.body;
        EXPECT_EQ(errors_of(answer), each.errors) << each.target << " " << each.body;
        EXPECT_TRUE(answer.header("content-type").starts_with("application/json"));
    }
}

std::string one(std::string_view fields) {
    return "{\"asset\":{\"tag\":\"T-1\",\"name\":\"N\"" + std::string(fields) + "}}";
}

TEST(RefusedRequests, fields_of_an_asset) {  // proves 2.4
    with_api([](const Api& api) -> Task<Result<>> {
        const auto post = [](std::string body, std::string errors) {
            return Refusal{Method::post, "/assets", std::move(body), 422, std::move(errors)};
        };
        std::vector<Refusal> cases{
            post("{}", "asset:required"),
            post("", "asset:required"),
            post("[]", "-:type"),
            post("{\"asset\":5}", "asset:type"),
            post("{\"asset\":{}}", "tag:required name:required"),
            post("{\"asset\":{\"tag\":\"\",\"name\":\"  \"}}", "tag:required name:required"),
            post("{\"asset\":{\"tag\":\"a b\",\"name\":\"x\"}}", "tag:format"),
            post("{\"asset\":{},\"extra\":1}", "extra:unknown"),
            post(one(",\"colour\":\"red\""), "colour:unknown"),
            post(one(",\"id\":\"0190b1c2-0000-7000-8000-000000000000\""), "id:unknown"),
            post(one(",\"tenant\":\"other\""), "tenant:unknown"),
            post(one(",\"search\":\"x\""), "search:unknown"),
            post(one(",\"employee_id\":null,\"employee_name\":\"x\",\"assigned_at\":null"),
                 "employee_id:unknown employee_name:unknown assigned_at:unknown"),
            post(one(",\"inserted_at\":\"\",\"updated_at\":\"\""),
                 "inserted_at:unknown updated_at:unknown"),
            post(one(",\"status\":\"sleeping\",\"condition\":7,\"category\":null"),
                 "status:not_one_of condition:type category:required"),
            post(one(",\"status\":\"assigned\""), "status:assigned"),
            post(one(",\"cost\":\"12\""), "cost:type"),
            post(one(",\"cost\":-0.01"), "cost:out_of_range"),
            post(one(",\"cost\":100000000.01"), "cost:out_of_range"),
            post(one(",\"cost\":1.005"), "cost:invalid"),
            post(one(",\"purchase_date\":\"2026-02-30\",\"warranty_end\":\"soon\""),
                 "purchase_date:invalid warranty_end:invalid"),
            post(one(",\"make\":[1]"), "make:type"),
            post(one(",\"make\":\"" + std::string(201, 'm') + "\""), "make:too_long"),
            post(one(",\"notes\":\"" + std::string(2001, 'n') + "\""), "notes:too_long"),
            post(one(",\"model\":\"a\\u0000b\""), "model:format"),
            post("{\"asset\":{\"tag\":\"" + std::string(65, 't') + "\",\"name\":\"" +
                     std::string(201, 'n') + "\"}}",
                 "tag:too_long name:too_long"),
        };
        co_await expect_refusals(api, std::move(cases));
        const TestResponse list = co_await api.get("/assets");
        EXPECT_EQ(list.json()["meta"]["total"], Json(0)) << "nothing of it was written";
        co_return Result<>();
    });
}

TEST(RefusedRequests, a_tag_that_is_taken) {
    with_api([](const Api& api) -> Task<Result<>> {
        co_await api.asset("T-1");
        const Json other = co_await api.asset("T-2");
        const std::string path = "/assets/" + std::string(other["id"].as_string());
        std::vector<Refusal> cases{
            {Method::post, "/assets", one(""), 422, "tag:taken"},
            {Method::patch, path, "{\"asset\":{\"tag\":\"T-1\"}}", 422, "tag:taken"},
        };
        co_await expect_refusals(api, std::move(cases));
        co_return Result<>();
    });
}

TEST(RefusedRequests, malformed_ones) {
    with_api([](const Api& api) -> Task<Result<>> {
        const std::string nobody = "/assets/0190b1c2-0000-7000-8000-000000000000";
        std::vector<Refusal> cases{
            {Method::post, "/assets", "{\"asset\":", 400, "-:malformed_json"},
            {Method::post, "/assets", "{\"a\":1,\"a\":2}", 400, "-:duplicate_key"},
            {Method::post, "/assets", "{\"asset\":{\"name\":\"\xff\"}}", 400, "-:invalid_utf8"},
            {Method::post, "/assets", "tag=1", 415, "-:unsupported_media_type",
             "application/x-www-form-urlencoded"},
            {Method::post, "/assets", std::string(33 << 20, ' '), 413, "-:body_too_large"},
            {Method::get, "/assets/7", "", 400, "id:invalid"},
            {Method::patch, "/assets/7", "{\"asset\":{}}", 400, "id:invalid"},
            {Method::delete_, "/assets/7", "", 400, "id:invalid"},
            {Method::post, "/assets/7/assign", "{}", 400, "id:invalid"},
            {Method::get, "/assets/7/history", "", 400, "id:invalid"},
            {Method::get, "/employees/x", "", 400, "id:invalid"},
            {Method::get, "/assets?colour=red", "", 400, "colour:unknown"},
            {Method::get, "/assets?tenant=other", "", 400, "tenant:unknown"},
            {Method::get, "/assets?search=x", "", 400, "search:unknown"},
            {Method::get, "/assets?status=sleeping", "", 400, "status:not_one_of"},
            {Method::get, "/assets?cost[gte]=much", "", 400, "cost[gte]:invalid"},
            {Method::get, "/assets?cost[near]=1", "", 400, "cost[near]:invalid_operator"},
            {Method::get, "/assets?sort=colour", "", 400, "sort:unknown"},
            {Method::get, "/assets?select=tag,colour", "", 400, "select:unknown"},
            {Method::get, "/assets?page_size=101", "", 400, "page_size:out_of_range"},
            {Method::get, "/assets?page=0", "", 400, "page:out_of_range"},
            {Method::get, "/assets?page=two", "", 400, "page:out_of_range"},
            {Method::get, "/assets?q=" + std::string(201, 'q'), "", 400, "q:too_long"},
            {Method::get, "/assets?sort=" + std::string(2001, 's'), "", 400, "sort:too_long"},
            {Method::get, "/assets?q=%ff", "", 400, "-:invalid_utf8"},
            {Method::get, "/assets?q=%zz", "", 400, "-:bad_percent_encoding"},
            {Method::get, "/activity?limit=0", "", 400, "limit:out_of_range"},
            {Method::get, "/activity?limit=x", "", 400, "limit:type"},
            {Method::get, "/activity?page=2", "", 400, "page:unknown"},
            {Method::get, "/employees?salary=1", "", 400, "salary:unknown"},
            {Method::get, "/summary?x=1", "", 400, "x:unknown"},
            {Method::get, nobody + "?x=1", "", 400, "x:unknown"},
            {Method::get, nobody, "", 404, "-:not_found"},
            {Method::patch, nobody, "{\"asset\":{\"name\":\"x\"}}", 404, "-:not_found"},
            {Method::delete_, nobody, "", 404, "-:not_found"},
            {Method::post, nobody + "/return", "", 404, "-:not_found"},
            {Method::get, "/employees/0190b1c2-0000-7000-8000-000000000000", "", 404,
             "-:not_found"},
            {Method::get, "/nothing", "", 404, "-:not_found"},
            {Method::put, "/assets", "{}", 405, "-:method_not_allowed"},
            {Method::post, "/summary", "{}", 405, "-:method_not_allowed"},
            {Method::delete_, "/employees", "", 405, "-:method_not_allowed"},
        };
        co_await expect_refusals(api, std::move(cases));
        co_return Result<>();
    });
}

TEST(RefusedRequests, a_crash_ends_one_request_and_nothing_else) {
    with_api([](const Api& api) -> Task<Result<>> {
        const TestResponse crash = co_await api.raw({.target = "/crash"});
        EXPECT_EQ(crash.status, 500);
        EXPECT_EQ(errors_of(crash), "-:internal");
        EXPECT_EQ(crash.body.find("mistake"), std::string::npos) << "the inside stays inside";
        EXPECT_EQ((co_await api.get("/health")).status, 200);
        co_await api.asset("T-1");
        co_return Result<>();
    });
}

}  // namespace
}  // namespace assetronics::testing
