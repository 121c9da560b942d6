#include "bennu/web/parameter_filter.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_parameter_filter_test {

TEST(ParameterFilter, hides_by_words_in_names_at_any_depth) {
    ParameterFilter filter;
    const Json given = parse_json(R"({"user": {"name": "ada", "Password_Confirmation": "hunter2",
        "roles": [{"apiKey": {"a": 1}}, 7, null]}, "resetToken": ["x"], "note": "kept"})")
                           .value();
    EXPECT_EQ(to_json(filter.masked(given)),
              R"({"user":{"name":"ada","Password_Confirmation":"***","roles":[{"apiKey":"***"},7,)"
              R"(null]},"resetToken":"***","note":"kept"})");
    EXPECT_TRUE(ParameterFilter({"PIN"}).hides("shipping"));
    EXPECT_FALSE(ParameterFilter({"pin"}).hides("password"));
    EXPECT_FALSE(ParameterFilter({""}).hides("name"));
    std::string long_one(198, 'x');
    long_one += "üüü";
    EXPECT_EQ(filter.masked(Json(long_one)).as_string(), std::string(198, 'x') + "ü…");
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->plug(AccessLog{.parameters = AccessLog::Parameters::shown});
    router->plug(ParseBody{});
    auto crash = [](Conn) -> Response { throw std::runtime_error("told to"); };
    router->get("/reset/:token/:step", [](Conn conn) { return text(conn, 200, "done"); });
    router->post("/crash/:id", crash);
    router->get("/pin/:pin/*secret", crash);
    return router;
}

TEST(ParameterFilter, no_secret_reaches_logs_or_the_page_of_a_developer) {
    LogCapture log;
    for (Environment environment : {Environment::prod, Environment::dev}) {
        EndpointOptions options{.hosts = {"*"}, .environment = environment};
        options.filter_parameters.emplace_back("pin");
        TestClient client(make_router(), options);
        std::string pages;
        auto send = [&](TestRequest request) {
            request.headers.emplace_back("accept", "text/html");
            pages += client.send(std::move(request)).body;
        };
        send({.target = "/reset/hunter2/sh%C3%B6w?access_token=hunter2&page=seen"});
        send({.method = net::Method::post,
              .target = "/crash/7?q=seen&secret[a]=hunter2",
              .headers = {{"content-type", "application/json"}},
              .body = R"({"user": {"password": "hunter2", "name": "ada"}})"});
        send({.target = "/pin/hunter2/hunter2/hunter2"});
        EXPECT_FALSE(pages.contains("hunter2")) << pages;
        if (environment == Environment::dev)
            EXPECT_TRUE(pages.contains("name&quot;:&quot;ada") || pages.contains(R"("name":"ada")"))
                << pages;
    }
    EXPECT_FALSE(log.contains("hunter2"));
    EXPECT_TRUE(log.contains("/reset/***/shöw"));
    EXPECT_TRUE(log.contains("/pin/***/***"));
    EXPECT_TRUE(log.contains("seen"));
    EXPECT_TRUE(log.contains("ada"));
}

}  // namespace web_parameter_filter_test
}  // namespace bennu
