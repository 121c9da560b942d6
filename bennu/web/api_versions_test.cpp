#include "bennu/web/api_versions.hpp"

#include <gtest/gtest.h>

#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_api_versions_test {

Action says(std::string word) {
    return [word](Conn conn) { return text(conn, 200, word + " " + api_version(conn).name); };
}

const std::vector<std::string> versions = {"1", "2", "3"};

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->scope(
        "/api", {ApiVersions({.versions = versions, .fallback = "2"})}, [](RouteScope& api) {
            api.get("/assets", by_version(versions, {{"1", says("old")}, {"3", says("new")}}));
            api.get("/later", by_version(versions, {{"2", says("later")}}));
        });
    router->scope("/at/:version",
                  {ApiVersions({.versions = versions, .path_parameter = "version"})},
                  [](RouteScope& api) { api.get("/assets", says("at")); });
    router->scope("/strict", {ApiVersions({.versions = versions})},
                  [](RouteScope& api) { api.get("/assets", says("strict")); });
    return router;
}

TEST(ApiVersions, from_header_accept_path_or_fallback) {
    TestClient client(make_router());
    struct Case {
        std::string target, header, accept;
        int status;
        std::string body;
    };
    for (const Case& one : {
             Case{"/api/assets", "", "", 200, "old 2"},
             Case{"/api/assets", "1", "", 200, "old 1"},
             Case{"/api/assets", "3", "application/json; version=1", 200, "new 3"},
             Case{"/api/assets", "4", "", 400, "unknown_version"},
             Case{"/api/assets", "v1", "", 400, "unknown_version"},
             Case{"/api/assets", "", "application/json", 200, "old 2"},
             Case{"/api/assets", "", "application/json;q=0.5;Version=\"3\"", 200, "new 3"},
             Case{"/api/assets", "", "text/html, application/json; version=1", 200, "old 1"},
             Case{"/api/assets", "", "application/json; version=9", 406, "there are: 1, 2, 3"},
             Case{"/api/assets", "", "application/json; version", 200, "old 2"},
             Case{"/api/later", "1", "", 404, "not_found"},
             Case{"/api/later", "3", "", 200, "later 3"},
             Case{"/at/v2/assets", "1", "", 200, "at 2"},
             Case{"/at/2/assets", "", "", 200, "at 2"},
             Case{"/at/v7/assets", "", "", 404, "unknown_version"},
             Case{"/at/v/assets", "", "", 404, "unknown_version"},
             Case{"/strict/assets", "", "", 400, "version_missing"},
             Case{"/strict/assets", "2", "", 200, "strict 2"},
         }) {
        TestRequest request{.target = one.target};
        if (!one.header.empty()) request.headers.emplace_back("api-version", one.header);
        if (!one.accept.empty()) request.headers.emplace_back("accept", one.accept);
        TestResponse response = client.send(request);
        const std::string what = one.target + " " + one.header + " " + one.accept;
        EXPECT_EQ(response.status, one.status) << what;
        EXPECT_TRUE(response.body.contains(one.body)) << what << ": " << response.body;
        EXPECT_EQ(response.headers.has_token("vary", "api-version"),
                  !one.target.starts_with("/at/"))
            << what;
    }
    EXPECT_EQ(client.get("/api/assets").header("api-version"), "2");
    EXPECT_EQ(client.get("/api/assets").header("vary"), "api-version, accept");
}

TEST(ApiVersions, mistakes_are_faults_at_start) {
    EXPECT_THROW(ApiVersions({}), std::invalid_argument);
    EXPECT_THROW(ApiVersions({.versions = {"1"}, .fallback = "2"}), std::invalid_argument);
    EXPECT_THROW(by_version({"1"}, {{"2", says("x")}}), std::invalid_argument);
}

}  // namespace web_api_versions_test
}  // namespace bennu
