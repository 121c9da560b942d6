// Errors as an app shows them, and actions that hand on a Result.
#include "bennu/web/error_views.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_error_views_test {

Task<Result<std::string>> find_thing(std::string name) {
    if (name == "gone")
        co_return Error(ErrorKind::not_found, "no_thing", "There is no such thing.");
    if (name == "bad") co_return Error::field("name", "taken", "is taken");
    if (name == "broken") co_return Error(ErrorKind::internal, "db", "the secret of the table");
    co_return "the " + name;
}

void add_things(Router& router) {
    router.get("/things/:name", [](Conn conn) -> Task<Result<Response>> {
        auto thing = co_await require(find_thing(std::string(conn.param("name"))));
        co_return text(conn, 200, thing);
    });
    router.get("/now", [](const Conn& conn) -> Result<Response> {
        if (conn.query_string().empty()) return Error(ErrorKind::forbidden, "no", "Not now.");
        return text(conn, 200, "now");
    });
    router.get("/crash", [](const Conn&) -> Response { throw std::runtime_error("a secret"); });
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->errors({
        .html =
            [](const ErrorView& view) {
                if (view.status == 410) throw std::runtime_error("the view fails");
                return Response(view.status, html_type,
                                "<h1>Ours: " + std::string(view.message) + "</h1>");
            },
        .json =
            [](const ErrorView& view) {
                Json problem = Json::object({{"title", view.message}, {"type", view.code}});
                if (!view.fields.empty()) problem.set("field", view.fields.front().field);
                return Response(view.status, "application/problem+json", to_json(problem));
            },
    });
    add_things(*router);
    router->get("/fails", [](const Conn& conn) { return error_status(conn, 410, "x", "Gone."); });
    return router;
}

TestResponse as_browser(const TestClient& client, std::string target) {
    return client.send({.target = std::move(target), .headers = {{"accept", "text/html"}}});
}

TEST(Actions, hand_on_the_errors_of_what_they_call) {
    LogCapture quiet;
    auto router = std::make_shared<Router>();
    add_things(*router);
    TestClient client(router);
    EXPECT_EQ(client.get("/things/lamp").body, "the lamp");
    EXPECT_EQ(client.get("/things/gone").status, 404);
    EXPECT_TRUE(client.get("/things/gone").body.contains("no_thing"));
    EXPECT_EQ(client.get("/things/bad").status, 422);
    EXPECT_EQ(client.get("/things/broken").status, 500);
    EXPECT_FALSE(client.get("/things/broken").body.contains("secret"));
    EXPECT_TRUE(quiet.contains("the secret of the table"));
    EXPECT_EQ(client.get("/now").status, 403);
    EXPECT_EQ(client.get("/now?x").body, "now");
}

TEST(ErrorViews, show_what_the_app_and_the_server_refuse) {
    LogCapture quiet;
    TestClient client(make_router());
    EXPECT_EQ(as_browser(client, "/nowhere").body, "<h1>Ours: There is nothing here.</h1>");
    EXPECT_EQ(as_browser(client, "/things/gone").body, "<h1>Ours: There is no such thing.</h1>");
    const TestResponse crashed = as_browser(client, "/crash");
    EXPECT_EQ(crashed.status, 500);
    EXPECT_EQ(crashed.body, "<h1>Ours: Something went wrong on our side.</h1>");
    const TestResponse bad = client.get("/things/bad");
    EXPECT_EQ(bad.status, 422);
    EXPECT_EQ(bad.header("content-type"), "application/problem+json");
    EXPECT_EQ(bad.header("vary"), "accept");
    EXPECT_EQ(bad.json()["field"], Json("name"));
    EXPECT_EQ(client.send({.method = net::Method::post, .target = "/now"}).json()["type"],
              Json("method_not_allowed"));
    // What nobody could read, too.
    const auto endpoint = Endpoint::make({}, make_router()).value();
    const net::HttpResponse refused = endpoint->failure(431, "too_many", "Too many header fields.");
    EXPECT_EQ(refused.status, 431);
    EXPECT_TRUE(refused.body_view().contains(R"("type":"too_many")")) << refused.body_view();
    EXPECT_EQ(endpoint->failure(503, "busy", "Later.").headers.get("retry-after"), "1");
}

TEST(ErrorViews, that_fail_leave_the_stock_answer) {
    LogCapture log;
    TestClient client(make_router());
    const TestResponse gone = as_browser(client, "/fails");
    EXPECT_EQ(gone.status, 410);
    EXPECT_TRUE(gone.body.contains("<h1>Gone.</h1>"));
    EXPECT_TRUE(log.contains("the view fails"));
}

}  // namespace web_error_views_test
}  // namespace bennu
