#include "bennu/web/formats.hpp"

#include <gtest/gtest.h>

#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_formats_test {

Action says(std::string word) {
    return [word](Conn conn) { return text(conn, 200, word); };
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->get("/report", by_format({{"html", says("page")},
                                      {"json", says("data")},
                                      {"csv", [](Conn conn) -> Task<Response> {
                                           co_return text(conn, 200, "table");
                                       }}}));
    router->get("/own", by_format({{"application/vnd.example+json", says("own")}}));
    return router;
}

TEST(ByFormat, goes_by_the_query_or_by_accept) {
    TestClient client(make_router());
    struct Case {
        std::string target, accept;
        int status;
        std::string body;
    };
    for (const Case& one : {
             Case{"/report", "", 200, "page"},
             Case{"/report", "*/*", 200, "page"},
             Case{"/report", "application/json", 200, "data"},
             Case{"/report", "text/*;q=0.5, application/json;q=0.4", 200, "page"},
             Case{"/report", "text/html;q=0, text/*", 200, "table"},
             Case{"/report", "text/csv, text/html", 200, "page"},
             Case{"/report?_format=csv", "text/html", 200, "table"},
             Case{"/report?_format=json", "", 200, "data"},
             Case{"/report?_format=pdf", "text/html", 406, "there are: html, json, csv"},
             Case{"/report?_format[]=csv", "text/html", 406, "not_acceptable"},
             Case{"/report", "image/png", 406, "not_acceptable"},
             Case{"/own", "application/vnd.example+json", 200, "own"},
             Case{"/own", "application/json", 406, "application/vnd.example+json"},
         }) {
        TestRequest request{.target = one.target};
        if (!one.accept.empty()) request.headers.emplace_back("accept", one.accept);
        TestResponse response = client.send(request);
        const std::string what = one.target + " " + one.accept;
        EXPECT_EQ(response.status, one.status) << what;
        EXPECT_TRUE(response.body.contains(one.status == 406 && one.accept == "text/html"
                                               ? std::string_view("406")
                                               : std::string_view(one.body)))
            << what << ": " << response.body;
        EXPECT_EQ(response.header("vary"), "accept") << what;
    }
}

TEST(ByFormat, mistakes_are_faults_at_start) {
    EXPECT_THROW(by_format({}), std::invalid_argument);
    EXPECT_THROW(by_format({{"no-such", says("x")}}), std::invalid_argument);
    EXPECT_THROW(by_format({{"csv", says("x")}, {"csv", says("y")}}), std::invalid_argument);
}

}  // namespace web_formats_test
}  // namespace bennu
