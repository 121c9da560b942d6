#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "apps/assetronics/lib/database/database.hpp"
#include "apps/assetronics/lib/demo/demo.hpp"
#include "apps/assetronics/test/api_testing.hpp"

// The product as a whole: pages, numbers, the demo company, what a restart keeps.
namespace assetronics::testing {
namespace {

using namespace bennu;

std::string file_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

void write_text(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

TEST(Product, the_demo_company_is_there_once) {
    with_api(
        [](const Api& api) -> Task<Result<>> {
            EXPECT_FALSE(co_await require(demo::seed(api.repo(), Timestamp{1'780'000'000'000})));
            const Json summary = (co_await api.get("/summary")).json()["data"];
            const Json people = (co_await api.get("/employees")).json()["meta"];
            EXPECT_EQ(people["total"], Json(60));
            EXPECT_GE(summary["total"].as_int(), 230);
            EXPECT_LE(summary["total"].as_int(), 270);
            EXPECT_GT(summary["value"].as_double(), 100'000);
            std::int64_t sum = 0;
            for (const JsonMember& each : summary["by_status"].as_object()) {
                EXPECT_GT(each.value.as_int(), 0) << each.key;
                sum += each.value.as_int();
            }
            EXPECT_EQ(sum, summary["total"].as_int());
            EXPECT_EQ(summary["by_category"].size(), 9u);
            EXPECT_EQ(summary["devices"], Json::object({{"green", 0}, {"amber", 0}, {"red", 0}}));
            co_return Result<>();
        },
        {.seeded = true});
}

// proves 2.16
TEST(Product, what_the_page_of_a_stranger_sends_is_refused_wherever_it_is_sent) {
    with_api([](const Api& api) -> Task<Result<>> {
        const std::string asset = (co_await api.asset("A-1")).get<std::string>("id").value();
        const std::pair<net::Method, std::string> writes[] = {
            {net::Method::post, "/assets"},
            {net::Method::patch, "/assets/" + asset},
            {net::Method::delete_, "/assets/" + asset},
            {net::Method::post, "/assets/" + asset + "/assign"},
            {net::Method::post, "/assets/" + asset + "/return"},
            {net::Method::patch, "/assets"},
            {net::Method::delete_, "/assets"},
            {net::Method::put, "/assets/" + asset},
            {net::Method::post, "/imports"},
            {net::Method::post, "/devices/tokens"},
            {net::Method::delete_, "/devices/x/token"},
        };
        const std::pair<std::string, std::string> marks[] = {{"sec-fetch-site", "cross-site"},
                                                             {"origin", "http://evil.example"},
                                                             {"origin", "null"}};
        for (const auto& [method, target] : writes) {
            for (const auto& mark : marks) {
                const TestResponse refused = co_await api.raw(
                    {.method = method, .target = "/api/v1" + target, .headers = {mark}});
                EXPECT_EQ(refused.status, 403) << target << " " << mark.second;
                EXPECT_EQ(errors_of(refused), "-:forged_request") << target;
            }
            const TestResponse own = co_await api.raw(
                {.method = method,
                 .target = "/api/v1" + target,
                 .headers = {{"origin", "http://a.example"}, {"host", "a.example"}}});
            EXPECT_NE(own.status, 403) << target << own.body;
        }
        co_return Result<>();
    });
}

TEST(Product, people_are_found_and_filtered) {
    with_api(
        [](const Api& api) -> Task<Result<>> {
            const auto total = [&](std::string query) -> Task<std::int64_t> {
                const TestResponse list = co_await api.get("/employees?" + query);
                EXPECT_EQ(list.status, 200) << list.body;
                co_return list.json()["meta"]["total"].as_int();
            };
            EXPECT_EQ(co_await total("status=terminated"), 3);
            EXPECT_EQ(co_await total("status=terminated,on_leave"), 5);
            EXPECT_EQ(co_await total("q=amara"), 1);
            EXPECT_EQ(co_await total("q=finance"), 4);
            EXPECT_EQ(co_await total("q=nobody"), 0);
            co_return Result<>();
        },
        {.seeded = true});
}

TEST(Product, what_was_acknowledged_is_there_after_a_restart) {
    TempFolder folder;
    with_api(
        [](const Api& api) -> Task<Result<>> {
            co_await api.asset("KEEP-1");
            co_return Result<>();
        },
        {.data_dir = folder.path()});
    with_api(
        [](const Api& api) -> Task<Result<>> {
            const TestResponse list = co_await api.get("/assets?tag=KEEP-1");
            EXPECT_EQ(list.json()["meta"]["total"], Json(1));
            co_return Result<>();
        },
        {.data_dir = folder.path()});
}

TEST(Product, its_database_goes_down_and_up_again) {  // proves 2.7
    with_api(
        [](const Api& api) -> Task<Result<>> {
            const auto list = database::migrations();
            const int count = static_cast<int>(list.size());
            EXPECT_GE(count, 4);
            EXPECT_EQ(co_await require(rollback(api.repo(), list, count)), count);
            EXPECT_EQ(co_await require(migrate(api.repo(), list)), count);
            EXPECT_TRUE(co_await require(demo::seed(api.repo(), Timestamp{1'780'000'000'000})));
            co_return Result<>();
        },
        {.seeded = true});
}

TEST(Product, pages_are_one_document_and_hashed_files_stay) {  // proves 2.12
    TempFolder pages;
    std::filesystem::create_directory(pages.path() + "/assets");
    write_text(pages.path() + "/index.html", "<!doctype html><title>A</title>");
    write_text(pages.path() + "/assets/index-BxY12abZ.js", "export {}");
    with_api(
        [](const Api& api) -> Task<Result<>> {
            const auto get = [&](std::string target, std::string accept) -> Task<TestResponse> {
                co_return co_await api.raw(
                    {.target = std::move(target), .headers = {{"accept", std::move(accept)}}});
            };
            const TestResponse root = co_await get("/", "text/html");
            EXPECT_EQ(root.status, 302);
            EXPECT_EQ(root.header("location"), "/t/demo/assets");
            for (const char* path : {"/t/demo/assets", "/t/demo/assets/new", "/t/x/monitor"}) {
                const TestResponse page = co_await get(path, "text/html,*/*;q=0.8");
                EXPECT_EQ(page.status, 200) << path;
                EXPECT_TRUE(page.body.starts_with("<!doctype html>")) << path;
                EXPECT_EQ(page.header("cache-control").find("immutable"), std::string_view::npos);
                EXPECT_FALSE(page.header("content-security-policy").empty());
            }
            EXPECT_EQ((co_await get("/t/demo/assets", "application/json")).status, 404);
            const TestResponse script = co_await get("/assets/index-BxY12abZ.js", "*/*");
            EXPECT_EQ(script.status, 200);
            EXPECT_NE(script.header("cache-control").find("immutable"), std::string_view::npos);
            EXPECT_FALSE(script.header("etag").empty());
            EXPECT_EQ((co_await get("/assets/index-other.js", "*/*")).status, 404);
            co_return Result<>();
        },
        {.pages = pages.path()});
}

TEST(Product, health_is_told) {
    with_api([](const Api& api) -> Task<Result<>> {
        EXPECT_EQ((co_await api.get("/health")).body, "{\"status\":\"ok\"}");
        EXPECT_EQ((co_await api.raw({.target = "/healthz"})).status, 200);
        EXPECT_EQ((co_await api.raw({.target = "/readyz"})).status, 200);
        co_return Result<>();
    });
}

TEST(Samples, the_committed_files_are_what_the_generator_writes) {
    const std::string folder = ASSETRONICS_SEEDS;
    EXPECT_EQ(
        demo::sample_csv({.rows = 5000, .seed = 7}) == file_text(folder + "/sample_assets.csv"),
        true);
    EXPECT_EQ(demo::sample_csv({.rows = 200, .seed = 11, .bad_rows = 12}) ==
                  file_text(folder + "/sample_assets_with_errors.csv"),
              true);
}

}  // namespace
}  // namespace assetronics::testing
