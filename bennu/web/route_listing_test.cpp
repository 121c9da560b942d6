#include "bennu/web/route_listing.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_route_listing_test {

Action says(std::string word) {
    return [word](Conn conn) { return text(conn, 200, word); };
}

TEST(RouteListing, filters_by_text_and_method_and_keeps_to_the_width) {
    Router router;
    router.plug(RequestIds{});
    router.get("/", says("x"));
    Pipeline many(6, Plug(ParseBody{}));
    router.scope("/api", many, [](RouteScope& api) {
        api.get("/assets/:id", says("x"), {.name = "asset"});
        api.post("/assets", says("x"));
        api.get("/" + std::string(100, 'p') + "/owners", says("x"), {.name = "Asset_owner"});
    });
    ASSERT_TRUE(router.compile());
    EXPECT_EQ(router.describe({.filter = "ASSETS", .method = "post"}),
              "every request: RequestIds\n"
              "POST    /api/assets  [ParseBody, ParseBody, ParseBody, ParseBody, ParseBody, "
              "ParseBody]\n");
    EXPECT_EQ(router.describe({.filter = "nothing"}), "");
    EXPECT_EQ(router.describe({.method = "PUT"}), "");
    EXPECT_TRUE(router.describe({.filter = "owner"}).contains("Asset_owner"));
    std::istringstream narrow(router.describe({.width = 80}));
    std::string joined;
    for (std::string line; std::getline(narrow, line);) {
        EXPECT_LE(line.size(), 80u) << line;
        joined += line.substr(std::min(line.find_first_not_of(' '), line.size()));
    }
    // Nothing is left out.
    EXPECT_TRUE(joined.contains("/api/" + std::string(67, 'p')));
    EXPECT_TRUE(joined.contains("/owners"));
    EXPECT_TRUE(joined.contains("/api/assets/:id"));
}

TEST(RouteListing, a_method_that_there_is_not_is_an_error_that_names_those_that_there_are) {
    for (std::string_view method : {"GET", "get", "Delete", "SOCKET", "files"})
        EXPECT_TRUE(check_listed_method(method)) << method;
    for (std::string_view method : {"NONSENSE", "GETS", "GE", " GET", ""}) {
        const Result<> checked = check_listed_method(method);
        ASSERT_FALSE(checked) << method;
        EXPECT_EQ(checked.error().kind(), ErrorKind::invalid);
        EXPECT_EQ(checked.error().message(),
                  "there is no method " + std::string(method) +
                      ", only GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, CONNECT, TRACE, "
                      "SOCKET, FILES");
    }
}

TEST(Router, a_resource_that_there_is_one_of_has_no_id) {
    auto router = std::make_shared<Router>();
    router->scope("/account", [](RouteScope& account) {
        account.resource(
            "/profile",
            {.new_ = says("new"),
             .create = says("create"),
             .show = says("show"),
             .edit = says("edit"),
             .update = says("update"),
             .delete_ = says("delete")},
            [](RouteScope& profile) { profile.resources("/photos", {.index = says("photos")}); });
    });
    router->resource("/", {.show = says("home"), .edit = says("edit home")});
    TestClient client(router);
    EXPECT_EQ(client.get("/account/profile").body, "show");
    EXPECT_EQ(client.get("/account/profile/new").body, "new");
    EXPECT_EQ(client.get("/account/profile/edit").body, "edit");
    EXPECT_EQ(client.post("/account/profile", {}).body, "create");
    EXPECT_EQ(client.put("/account/profile", {}).body, "update");
    EXPECT_EQ(client.patch("/account/profile", {}).body, "update");
    EXPECT_EQ(client.delete_("/account/profile").body, "delete");
    EXPECT_EQ(client.get("/account/profile/7").status, 404);
    EXPECT_EQ(client.get("/account/profile/photos").body, "photos");
    EXPECT_EQ(client.get("/").body, "home");
    EXPECT_EQ(client.get("/edit").body, "edit home");
    Router wrong;
    wrong.resource("/profile", {.index = says("x")});
    EXPECT_TRUE(wrong.compile().error().message().contains("/profile: a single resource"));
}

}  // namespace web_route_listing_test
}  // namespace bennu
