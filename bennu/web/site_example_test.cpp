// The site that docs/guide/plugs.md quotes.

#include <gtest/gtest.h>

#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/compress_responses.hpp"
#include "bennu/web/download.hpp"
#include "bennu/web/html_escape.hpp"
#include "bennu/web/method_override.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/protect/cors.hpp"
#include "bennu/web/protect/force_ssl.hpp"
#include "bennu/web/protect/forgery.hpp"
#include "bennu/web/protect/rate_limit.hpp"
#include "bennu/web/protect/trusted_proxies.hpp"
#include "bennu/web/route_path.hpp"
#include "bennu/web/session/flash.hpp"
#include "bennu/web/session/sessions.hpp"
#include "bennu/web/test_browser.hpp"

namespace bennu {
namespace site_example {

using namespace std::chrono_literals;

struct Site;
inline constexpr RoutePath<"/notes", Site> notes_path;
inline constexpr RoutePath<"/notes/:number", Site> note_path;
inline constexpr RoutePath<"/login", Site> login_path;

/// Who is logged in, for actions.
struct User {
    std::string name;
};

std::optional<Response> require_user(Conn conn) {
    auto name = conn.session().get<std::string>("user");
    if (!name) {
        put_flash(conn, "info", "Please log in first.");
        return redirect(conn, login_path());
    }
    conn.assign(User{*name});
    return std::nullopt;
}

std::string flash_line(Conn conn) {
    std::string line = "<p>";
    append_html(line, flash(conn, "info"));
    return line + "</p>";
}

Response login_form(Conn conn) {
    std::string page = flash_line(conn);
    page += "<form method=\"post\">" + csrf_field(conn) + "<input name=\"user\"></form>";
    return html(conn, 200, std::move(page));
}

Response log_in(Conn conn) {
    const Json& form = conn.body_params();
    conn.session().renew();  // who knew the session of before does not know this one
    conn.session().put("user", form["user"]);
    put_flash(conn, "info", "Welcome.");
    return redirect(conn, notes_path());
}

Response log_out(Conn conn) {
    conn.session().drop();
    return redirect(conn, login_path());
}

Response list_notes(Conn conn) {
    std::string page = flash_line(conn);
    page += "<a href=\"" + note_path(7) + "\">Note 7</a>";
    page += "<script nonce=\"" + std::string(csp_nonce(conn)) + "\">started = Date.now()</script>";
    return html(conn, 200, std::move(page));
}

Response show_note(Conn conn) {
    return text(conn, 200, conn.get<User>().name + ", " + std::string(conn.param("number")));
}

Response delete_note(Conn conn) {
    put_flash(conn, "info", "Deleted.");
    return redirect(conn, notes_path());
}

Response export_notes(Conn conn) {
    return send_download(conn, "number,text\n7,hello\n", {.filename = "Notizen für heute.csv"});
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->require_links<Site>();
    router->plug(TrustedProxies({"10.0.0.0/8", "unix"}));
    router->plug(RequestIds{});
    router->plug(AccessLog{});
    router->plug(ForceSsl{});
    router->plug(SecureHeaders{});
    router->plug(CompressResponses{});
    router->plug(MethodOverride{});
    router->plug(Cors({.origins = {"https://partner.example"}, .paths = {"/api"}}));

    Pipeline browser = {Sessions({.idle = 24h}), ProtectFromForgery{}};
    router->scope("", browser, [](RouteScope& site) {
        RateLimit logins({.rule = {.limit = 5, .per = 1min}, .name = "logins"});
        site.get(login_path, login_form);
        site.post(login_path, log_in, {.plugs = {std::move(logins)}});
        site.scope("", {require_user}, [](RouteScope& inside) {
            inside.post("/logout", log_out);
            inside.get(notes_path, list_notes);
            inside.get("/notes/export", export_notes, {.time_limit = 10s});
            inside.get(note_path, show_note, {.where = {param<int>("number")}});
            inside.delete_(note_path, delete_note, {.where = {param<int>("number")}});
        });
    });
    router->scope("/api", {Accepts{}}, [](RouteScope& api) {
        api.get("/status", [](Conn conn) { return json(conn, Json::object({{"up", true}})); });
    });
    return router;
}

TestBrowser make_browser() {
    TestClient client(make_router(), {.environment = Environment::prod,
                                      .secret = Secret("a secret of at least thirty-two bytes")});
    return TestBrowser(client);
}

/// Through the proxy, which speaks TLS with the client.
TestRequest over_tls(net::Method method, std::string target, std::string form = {}) {
    TestRequest request{.method = method, .target = std::move(target), .body = std::move(form)};
    request.peer = {"10.0.0.1", 1};
    request.headers = {{"x-forwarded-for", "203.0.113.9"}, {"x-forwarded-proto", "https"}};
    if (method != net::Method::get) {
        request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
        request.headers.emplace_back("sec-fetch-site", "same-origin");
    }
    return request;
}

Task<Result<>> visit() {
    TestBrowser browser = make_browser();
    auto get = [&] [[clang::coro_wrapper]] (std::string target) {
        return browser.request(over_tls(net::Method::get, std::move(target)));
    };
    auto post = [&] [[clang::coro_wrapper]] (std::string target, std::string form) {
        return browser.request(over_tls(net::Method::post, std::move(target), std::move(form)));
    };
    TestResponse plain = co_await browser.request({.target = "/notes?a=1"});
    EXPECT_EQ(plain.header("location"), "https://www.example.com/notes?a=1");

    EXPECT_EQ((co_await get("/notes")).header("location"), "/login");
    TestResponse form = co_await get("/login");
    EXPECT_TRUE(form.body.starts_with("<p>Please log in first.</p><form method=\"post\"><input"));
    EXPECT_TRUE(form.headers.contains("strict-transport-security"));
    EXPECT_TRUE(browser.cookies().contains("__Host-session"));

    EXPECT_EQ((co_await post("/login", "user=ada")).header("location"), "/notes");
    TestResponse notes = co_await get("/notes");
    EXPECT_TRUE(notes.body.starts_with("<p>Welcome.</p><a href=\"/notes/7\">"));
    EXPECT_TRUE(notes.header("content-security-policy").contains("'nonce-"));
    EXPECT_EQ((co_await get("/notes/7")).body, "ada, 7");
    EXPECT_EQ((co_await get("/notes/seven")).status, 404);
    EXPECT_EQ((co_await get("/notes/export")).header("content-disposition"),
              "attachment; filename=\"Notizen f_r heute.csv\"; "
              "filename*=UTF-8''Notizen%20f%C3%BCr%20heute.csv");

    EXPECT_EQ((co_await post("/notes/7", "_method=delete")).header("location"), "/notes");
    EXPECT_TRUE((co_await get("/notes")).body.starts_with("<p>Deleted.</p>"));
    TestRequest forged = over_tls(net::Method::post, "/notes/7", "_method=delete");
    forged.headers.back().second = "cross-site";
    EXPECT_EQ((co_await browser.request(forged)).status, 403);

    for (int i = 0; i < 4; ++i) co_await post("/login", "user=ada");
    EXPECT_EQ((co_await post("/login", "user=ada")).status, 429);
    co_await post("/logout", "");
    EXPECT_EQ((co_await get("/notes")).header("location"), "/login");
    co_return Result<>();
}

TEST(SiteExample, does_what_the_guide_says) {
    finishes({}, visit);
}

}  // namespace site_example
}  // namespace bennu
