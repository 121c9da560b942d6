#include "bennu/web/router.hpp"

#include <gtest/gtest.h>

#include "bennu/web/path.hpp"

namespace bennu {
namespace {

Action noop_action() {
    return [](Conn conn) { return no_content(conn); };
}

/// `GET /assets/:id id=7`, `404`, `405 GET, HEAD, OPTIONS`, `options …`.
std::string match_as_text(const Router& router, net::Method method, std::string_view path) {
    PathSegments segments;
    if (!segments.parse(path)) return "400";
    RouteMatch match;
    router.match(method, segments.all(), match);
    using Outcome = RouteMatch::Outcome;
    switch (match.outcome) {
        case Outcome::not_found:
            return "404";
        case Outcome::method_not_allowed:
            return "405 " + match.allow;
        case Outcome::options:
            return "options " + match.allow;
        case Outcome::found:
            break;
    }
    std::string out(net::to_string(match.route->method));
    out += " " + match.route->pattern;
    for (std::size_t i = 0; i < match.route->params.size(); ++i) {
        out += " " + match.route->params[i] + "=" + std::string(match.values[i]);
    }
    return out;
}

TEST(Router, matches_the_most_specific_route) {
    Router router;
    router.get("/", noop_action());
    router.scope("/api/v1", [](RouteScope& api) {
        api.get("/assets/*rest", noop_action());
        api.resources("/assets", {.index = noop_action(),
                                  .create = noop_action(),
                                  .show = noop_action(),
                                  .update = noop_action(),
                                  .delete_ = noop_action()});
        api.get("/assets/new", noop_action());
        api.get("/assets/:asset_id/history", noop_action());
        api.post("/assets/:id/assign", noop_action());
    });
    router.get("/t/:tenant/*page", noop_action());
    router.options("/explicit", noop_action());
    router.get("/files/:name.json", noop_action());
    ASSERT_FALSE(router.compile());  // a parameter is a whole segment

    Router good;
    good.get("/", noop_action());
    good.scope("/api/v1/", [](RouteScope& api) {
        api.get("/assets/*rest", noop_action());
        api.resources("/assets", {.index = noop_action(),
                                  .create = noop_action(),
                                  .show = noop_action(),
                                  .update = noop_action(),
                                  .delete_ = noop_action()});
        api.get("/assets/new", noop_action());
        api.get("/assets/:asset_id/history", noop_action());
        api.post("/assets/:id/assign", noop_action());
    });
    good.get("/t/:tenant/*page", noop_action());
    good.options("/explicit", noop_action());
    ASSERT_TRUE(good.compile());

    using enum net::Method;
    struct Row {
        net::Method method;
        std::string_view path;
        std::string_view expected;
    };
    const Row rows[] = {
        {get, "/", "GET /"},
        {get, "//", "GET /"},
        {head, "/", "GET /"},
        {post, "/", "405 GET, HEAD, OPTIONS"},
        {get, "/api/v1/assets", "GET /api/v1/assets"},
        {get, "/api/v1/assets/", "GET /api/v1/assets"},
        {post, "/api/v1/assets", "POST /api/v1/assets"},
        {put, "/api/v1/assets", "405 GET, HEAD, POST, OPTIONS"},
        {options, "/api/v1/assets", "options GET, HEAD, POST, OPTIONS"},
        {get, "/api/v1/assets/7", "GET /api/v1/assets/:id id=7"},
        {get, "/api/v1/assets/a%20b", "GET /api/v1/assets/:id id=a b"},
        {put, "/api/v1/assets/7", "PUT /api/v1/assets/:id id=7"},
        {patch, "/api/v1/assets/7", "PATCH /api/v1/assets/:id id=7"},
        {delete_, "/api/v1/assets/7", "DELETE /api/v1/assets/:id id=7"},
        {get, "/api/v1/assets/new", "GET /api/v1/assets/new"},
        // The static segment has no DELETE; the parameter beside it does.
        {delete_, "/api/v1/assets/new", "DELETE /api/v1/assets/:id id=new"},
        {post, "/api/v1/assets/new", "405 GET, HEAD, PUT, DELETE, PATCH, OPTIONS"},
        {get, "/api/v1/assets/7/history", "GET /api/v1/assets/:asset_id/history asset_id=7"},
        {post, "/api/v1/assets/7/assign", "POST /api/v1/assets/:id/assign id=7"},
        // Falls back to the glob where the specific branch ends.
        {get, "/api/v1/assets/7/other/x", "GET /api/v1/assets/*rest rest=7/other/x"},
        {get, "/api/v1/assets/new/x", "GET /api/v1/assets/*rest rest=new/x"},
        {get, "/t/demo/assets/1/edit", "GET /t/:tenant/*page tenant=demo page=assets/1/edit"},
        {get, "/t/demo", "404"},
        {get, "/api", "404"},
        {get, "/API/v1/assets", "404"},
        {options, "/explicit", "OPTIONS /explicit"},
        {options, "/nowhere", "404"},
        {other, "/", "405 GET, HEAD, OPTIONS"},
        {get, "/api/v1/assets/../assets", "400"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(match_as_text(good, row.method, row.path), row.expected)
            << net::to_string(row.method) << " " << row.path;
    }
}

TEST(Router, mistakes_are_listed_at_start) {
    struct Row {
        std::vector<std::string> patterns;
        std::string_view expected;
    };
    const Row rows[] = {
        {{"/a", "/a"}, "GET /a: answers the same requests as /a"},
        {{"/a", "/a/"}, "GET /a/: answers the same requests as /a"},
        {{"/:id", "/:tag"}, "GET /:tag: answers the same requests as /:id"},
        {{"/*a", "/*b"}, "GET /*b: answers the same requests as /*a"},
        {{"a"}, "/a: a pattern begins with /"},
        {{"/*a/b"}, "/*a/b: nothing can follow a *glob"},
        {{"/:"}, "/:: a parameter needs a plain name"},
        {{"/:a-b"}, "/:a-b: a parameter needs a plain name"},
        {{"/:a/:a"}, "/:a/:a: two parameters have the same name"},
        {{"/a?b"}, "/a?b: a segment holds characters that a pattern cannot have"},
        {{"/../b"}, "/../b: a segment holds characters that a pattern cannot have"},
        {{"/:a/:b/:c/:d/:e/:f/:g/:h/:i"},
         "/:a/:b/:c/:d/:e/:f/:g/:h/:i: more than eight parameters"},
        {{"/a", "/b", "/a", "/:"},
         "GET /a: answers the same requests as /a; /:: a parameter needs a plain name"},
        {{"/a/:id", "/a/b", "/a/*rest", "/:x/b"}, ""},
    };
    for (const Row& row : rows) {
        Router router;
        for (const std::string& pattern : row.patterns) router.get(pattern, noop_action());
        auto compiled = router.compile();
        EXPECT_EQ(compiled ? "" : compiled.error().message(), row.expected);
    }
}

TEST(Router, lists_its_routes) {
    Router router;
    router.get("/assets/:id", noop_action(), {.name = "asset"});
    router.post("/assets", noop_action());
    router.websocket("/socket", noop_action());
    ASSERT_TRUE(router.compile());
    EXPECT_EQ(router.describe(),
              "GET     /assets/:id  asset\n"
              "POST    /assets\n"
              "SOCKET  /socket             [SocketOrigins]\n");
}

}  // namespace
}  // namespace bennu
