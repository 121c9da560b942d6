#include <gtest/gtest.h>

#include "bennu/web/plugs.hpp"
#include "bennu/web/route_path.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_route_conditions_test {

enum class Kind : std::uint8_t { laptop, phone };
BENNU_ENUM(Kind, laptop, phone)

Action says(std::string word) {
    return [word](Conn conn) {
        std::string out = word;
        for (const std::string& name : conn.route()->params) {
            out += " " + name + "=" + std::string(conn.param(name));
        }
        return text(conn, 200, out);
    };
}

constexpr std::string_view some_id = "0190b1c2-0000-7000-8000-000000000001";

TEST(RouteConditions, a_parameter_that_does_not_parse_is_no_match) {
    auto router = std::make_shared<Router>();
    router->get("/assets/:id", says("asset"), {.where = {param<Id>("id")}});
    router->put("/assets/:id", says("put"), {.where = {param<Id>("id")}});
    router->get("/pages/:number", says("number"), {.where = {param<int>("number")}});
    router->get("/pages/:slug", says("slug"));
    router->get("/kinds/:kind", says("kind"), {.where = {param<Kind>("kind")}});
    router->get("/kinds/*rest", says("rest"));
    TestClient client(router);
    EXPECT_EQ(client.get("/assets/" + std::string(some_id)).body,
              "asset id=" + std::string(some_id));
    EXPECT_EQ(client.get("/assets/seven").status, 404);
    EXPECT_EQ(client.send({.method = net::Method::post, .target = "/assets/seven"}).status, 404);
    TestResponse wrong =
        client.send({.method = net::Method::post, .target = "/assets/" + std::string(some_id)});
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.header("allow"), "GET, HEAD, PUT, OPTIONS");
    EXPECT_EQ(client.send({.method = net::Method::head, .target = "/assets/x"}).status, 404);
    EXPECT_EQ(
        client.send({.method = net::Method::head, .target = "/assets/" + std::string(some_id)})
            .status,
        200);
    EXPECT_EQ(client.get("/pages/12").body, "number number=12");
    EXPECT_EQ(client.get("/pages/12a").body, "slug slug=12a");
    EXPECT_EQ(client.get("/pages/99999999999").body, "slug slug=99999999999");
    EXPECT_EQ(client.get("/kinds/phone").body, "kind kind=phone");
    EXPECT_EQ(client.get("/kinds/tablet").body, "rest rest=tablet");
}

TEST(RouteConditions, hosts_choose_among_routes) {
    auto router = std::make_shared<Router>();
    router->get("/", says("any"));
    router->host("*.tenants.example", [](RouteScope& scope) { scope.get("/", says("tenant")); });
    router->host("admin.tenants.example", [](RouteScope& scope) {
        scope.get("/", says("admin"));
        scope.scope("/deep", [](RouteScope& deep) { deep.get("/page", says("deep")); });
    });
    TestClient client(router);
    auto at = [&](std::string host, std::string target = "/") {
        TestResponse response = client.send({.target = target, .headers = {{"host", host}}});
        return response.status == 200 ? response.body : std::to_string(response.status);
    };
    EXPECT_EQ(at("example.com"), "any");
    EXPECT_EQ(at("admin.tenants.example"), "admin");
    EXPECT_EQ(at("ADMIN.tenants.example:4000"), "admin");
    EXPECT_EQ(at("acme.tenants.example"), "tenant");
    EXPECT_EQ(at("a.b.tenants.example"), "tenant");
    EXPECT_EQ(at("tenants.example"), "any");
    EXPECT_EQ(at("eviltenants.example"), "any");
    EXPECT_EQ(at("admin.tenants.example", "/deep/page"), "deep");
    EXPECT_EQ(at("example.com", "/deep/page"), "404");
}

TEST(RouteConditions, mistakes_are_listed_at_start) {
    auto mistake = [](auto build) {
        Router router;
        build(router);
        auto compiled = router.compile();
        return compiled ? std::string() : std::string(compiled.error().message());
    };
    EXPECT_EQ(mistake([](Router& r) { r.get("/:id", says("a"), {.where = {param<Id>("di")}}); }),
              "/:id: has no :di to check");
    EXPECT_EQ(mistake([](Router& r) { r.get("/*id", says("a"), {.where = {param<Id>("id")}}); }),
              "/*id: has no :id to check");
    EXPECT_EQ(mistake([](Router& r) {
                  r.get("/:id", says("a"), {.where = {param<Id>("id")}});
                  r.get("/:tag", says("b"), {.where = {param<Id>("tag")}});
              }),
              "GET /:tag: answers the same requests as /:id");
    EXPECT_EQ(mistake([](Router& r) {
                  r.get("/", says("a"), {.host = "a.example"});
                  r.get("/", says("b"), {.host = "b.example"});
                  r.get("/", says("c"), {.host = "a.example"});
              }),
              "GET /: answers the same requests as /");
}

TEST(Router, resources_nest) {
    auto router = std::make_shared<Router>();
    router->resources("/assets",
                      {.index = says("assets"),
                       .show = says("asset"),
                       .nested_param = "asset_id",
                       .options = {.where = {param<int>("id")}}},
                      [](RouteScope& asset) {
                          asset.resources("/notes", {.index = says("notes"), .show = says("note")});
                      });
    TestClient client(router);
    EXPECT_EQ(client.get("/assets").body, "assets");
    EXPECT_EQ(client.get("/assets/7").body, "asset id=7");
    EXPECT_EQ(client.get("/assets/7/notes").body, "notes asset_id=7");
    EXPECT_EQ(client.get("/assets/7/notes/x").body, "note asset_id=7 id=x");
    EXPECT_EQ(client.get("/assets/x/notes").status, 404);
}

TEST(Router, forwards_to_another) {
    auto add = [](std::string word) {
        return [word](const Conn&, Response& response) {
            std::string all(response.headers.get("x-trace"));
            response.headers.set("x-trace", all + word);
        };
    };
    struct Trace {
        Function<void(const Conn&, Response&) const> note;
        void after(const Conn& conn, Response& response) const { note(conn, response); }
    };
    Router admin;
    admin.plug(Trace{add("a")});
    admin.get("/", says("admin"));
    admin.scope("/users", {Trace{add("u")}}, [](RouteScope& users) {
        users.get("/:id", says("user"), {.where = {param<int>("id")}, .name = "user"});
    });
    admin.get("broken", says("x"));
    auto router = std::make_shared<Router>();
    router->plug(Trace{add("r")});
    router->get("/", says("home"));
    router->scope("/in", {Trace{add("s")}},
                  [&](RouteScope& scope) { scope.forward("/admin", admin); });
    Result<> compiled = router->compile();
    ASSERT_FALSE(compiled);
    EXPECT_TRUE(compiled.error().message().contains("broken: a pattern begins with /"));

    Router good;
    good.plug(Trace{add("a")});
    good.get("/", says("admin"));
    good.scope("/users", {Trace{add("u")}}, [](RouteScope& users) {
        users.get("/:id", says("user"), {.where = {param<int>("id")}});
    });
    auto whole = std::make_shared<Router>();
    whole->plug(Trace{add("r")});
    whole->get("/", says("home"));
    whole->scope("/in", {Trace{add("s")}},
                 [&](RouteScope& scope) { scope.forward("/admin", good); });
    TestClient client(whole);
    EXPECT_EQ(client.get("/").header("x-trace"), "r");
    EXPECT_EQ(client.get("/in/admin").body, "admin");
    EXPECT_EQ(client.get("/in/admin").header("x-trace"), "asr");
    EXPECT_EQ(client.get("/in/admin/users/7").body, "user id=7");
    EXPECT_EQ(client.get("/in/admin/users/7").header("x-trace"), "uasr");
    EXPECT_EQ(client.get("/in/admin/users/x").status, 404);
}

TEST(Router, lists_plugs_hosts_and_files) {
    Router router;
    router.plug(RequestIds{});
    router.plug([](Conn) {});
    router.get("/", says("x"));
    router.scope("/api", {Accepts{}}, [](RouteScope& api) {
        api.get("/assets/:id", says("x"), {.name = "asset", .plugs = {ParseBody{}}});
        api.host("admin.example", [](RouteScope& admin) { admin.post("/x", says("x")); });
    });
    ASSERT_TRUE(router.compile());
    EXPECT_EQ(router.describe(),
              "every request: RequestIds, function\n"
              "GET     /\n"
              "GET     /api/assets/:id      asset  [Accepts, ParseBody]\n"
              "POST    admin.example/api/x         [Accepts]\n");
}

inline constexpr RoutePath<"/assets"> assets_path;
inline constexpr RoutePath<"/assets/:id"> asset_path;
inline constexpr RoutePath<"/:kind/files/*rest"> file_path;

static_assert(!std::is_invocable_v<decltype(asset_path)>, "a parameter is missing");
static_assert(!std::is_invocable_v<decltype(asset_path), int, int>, "one too many");
static_assert(std::is_invocable_v<decltype(file_path), Kind, std::string>);

TEST(RoutePath, links_are_made_of_the_pattern) {
    EXPECT_EQ(assets_path(), "/assets");
    EXPECT_EQ(asset_path(7), "/assets/7");
    EXPECT_EQ(asset_path("a b%ü"), "/assets/a%20b%25%C3%BC");
    EXPECT_EQ(asset_path(*parse_id(some_id)), "/assets/" + std::string(some_id));
    EXPECT_EQ(file_path(Kind::phone, "a b/c"), "/phone/files/a%20b/c");
    for (const char* bad : {"", ".", "..", "a/b", "a\\b"}) {
        EXPECT_THROW(asset_path(bad), std::invalid_argument) << bad;
    }
    EXPECT_THROW(file_path("x", "a//b"), std::invalid_argument);
    EXPECT_THROW(file_path("x", "a/../b"), std::invalid_argument);
}

TEST(RoutePath, what_is_linked_to_must_be_a_route) {
    auto build = [](bool whole) {
        Router router;
        router.require_links();
        router.get(assets_path, says("x"));
        router.scope("/assets", [](RouteScope& scope) { scope.get("/:id", says("x")); });
        if (whole) router.get(file_path, says("x"));
        Result<> compiled = router.compile();
        return compiled ? std::string() : std::string(compiled.error().message());
    };
    EXPECT_EQ(build(false), "/:kind/files/*rest: is linked to, but is no route");
    EXPECT_EQ(build(true), "");
}

}  // namespace web_route_conditions_test
}  // namespace bennu
