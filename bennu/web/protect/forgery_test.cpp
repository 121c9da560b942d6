#include "bennu/web/protect/forgery.hpp"

#include <gtest/gtest.h>

#include "bennu/base/bytes.hpp"
#include "bennu/net/url.hpp"
#include "bennu/web/session/sessions.hpp"
#include "bennu/web/test_browser.hpp"

namespace bennu {
namespace web_forgery_test {

TestBrowser make_browser(ForgeryOptions options = {}) {
    auto router = std::make_shared<Router>();
    router->plug(Sessions{});
    router->plug(ProtectFromForgery(std::move(options)));
    router->get("/form", [](Conn conn) { return text(conn, 200, csrf_token(conn)); });
    router->get("/field", [](Conn conn) { return html(conn, 200, csrf_field(conn)); });
    router->get("/login", [](Conn conn) {
        conn.session().renew();
        conn.session().put("user", "ada");
        return no_content(conn);
    });
    auto done = [](Conn conn) { return text(conn, 200, "done"); };
    for (net::Method method : {net::Method::get, net::Method::post, net::Method::put,
                               net::Method::patch, net::Method::delete_}) {
        router->add(method, "/do", done);
    }
    return TestBrowser(TestClient(
        router, {.environment = Environment::test, .secret = Secret(std::string(32, 's'))}));
}

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Attempt {
    std::string origin = {}, site = {}, token = {};
    bool tls = false;
    std::string host = "www.example.com";
};

TestRequest request_of(net::Method method, const std::string& type, const Attempt& attempt) {
    TestRequest request{.method = method, .target = "/do", .headers = {{"host", attempt.host}}};
    if (!attempt.origin.empty()) request.headers.emplace_back("origin", attempt.origin);
    if (!attempt.site.empty()) request.headers.emplace_back("sec-fetch-site", attempt.site);
    request.tls = attempt.tls;
    if (type.empty()) {
        if (!attempt.token.empty()) request.headers.emplace_back("x-csrf-token", attempt.token);
        return request;
    }
    request.headers.emplace_back("content-type", type);
    if (type.starts_with("application/x-www-form-urlencoded")) {
        request.body = "a=1&_csrf_token=" + net::percent_encode(attempt.token);
    } else if (type.starts_with("multipart/form-data")) {
        request.body = "--b\r\ncontent-disposition: form-data; name=\"_csrf_token\"\r\n\r\n" +
                       attempt.token + "\r\n--b--\r\n";
    } else {
        request.body = R"({"_csrf_token":")" + attempt.token + "\"}";
        if (!attempt.token.empty()) request.headers.emplace_back("x-csrf-token", attempt.token);
    }
    return request;
}

const net::Method unsafe_methods[] = {net::Method::post, net::Method::put, net::Method::patch,
                                      net::Method::delete_};
const std::string body_types[] = {"", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=b", "application/json",
                                  "text/plain"};

void expect_everywhere(TestBrowser& browser, const Attempt& attempt, int status) {
    for (net::Method method : unsafe_methods) {
        for (const std::string& type : body_types) {
            TestResponse response = browser.send(request_of(method, type, attempt));
            EXPECT_EQ(response.status, status)
                << net::to_string(method) << " [" << type << "] origin=" << attempt.origin
                << " site=" << attempt.site << " token=" << attempt.token;
            EXPECT_EQ(response.body.contains("forged_request"), status == 403);
        }
    }
    EXPECT_EQ(browser.send(request_of(net::Method::get, "", attempt)).status, 200);
}

// proves 2.16
TEST(Forgery, every_way_in_is_as_specified) {
    TestBrowser browser = make_browser({.origins = {"https://partner.example"}});
    const std::string good = browser.get("/form").body;
    const std::string foreign = make_browser().get("/form").body;
    const std::string same = "http://www.example.com";
    const Attempt passes[] = {
        {.site = "same-origin"},
        {.site = "none"},
        {.origin = same, .site = "same-origin"},
        {.origin = "null", .site = "same-origin"},
        {.origin = same},
        {.origin = "http://www.example.com:80"},
        {.origin = "HTTP://WWW.EXAMPLE.COM"},
        {.origin = "https://www.example.com", .tls = true},
        {.origin = "https://www.example.com:443", .tls = true},
        {.origin = "https://www.example.com"},  // a proxy took the TLS off
        {.origin = "http://www.example.com:8080", .host = "www.example.com:8080"},
        {.origin = "https://partner.example"},
        {.origin = "https://partner.example", .site = "cross-site"},
        {.token = good},
        {.origin = same, .token = foreign},
    };
    for (const Attempt& attempt : passes) expect_everywhere(browser, attempt, 200);
    const Attempt refusals[] = {
        {},
        {.site = "cross-site"},
        {.site = "same-site"},
        {.site = "something-new"},
        {.site = "Same-Origin"},
        {.origin = same, .site = "cross-site"},
        {.origin = same, .site = "same-site"},
        {.site = "cross-site", .token = good},
        {.origin = "null"},
        {.origin = "null", .token = good},
        {.origin = "https://evil.example"},
        {.origin = "https://evil.example", .token = good},
        {.origin = "http://www.example.com:8080"},
        {.origin = "http://evil-www.example.com"},
        {.origin = "http://www.example.com.evil.example"},
        {.origin = "http://www.example.com@evil.example"},
        {.origin = "http://evil.example@www.example.com"},
        {.origin = "http://example.com"},
        {.origin = "http://sub.www.example.com"},
        {.origin = "http://www.example.com.", .token = good},
        {.origin = "http://www.example.com", .tls = true},
        {.origin = "ftp://www.example.com"},
        {.origin = "www.example.com"},
        {.origin = "http://"},
        {.origin = "http://partner.example"},
        {.origin = "https://evil.partner.example"},
        {.origin = "https://partner.example.evil.example"},
        {.origin = "https://evilpartner.example"},
        {.token = foreign},
        {.token = "x"},
    };
    for (const Attempt& attempt : refusals) expect_everywhere(browser, attempt, 403);
}

/// Whether a form with this token, and no header that says where it comes from, passes.
bool token_passes(TestBrowser& browser, const std::string& token) {
    return browser
               .send(request_of(net::Method::post, "application/x-www-form-urlencoded",
                                {.token = token}))
               .status == 200;
}

TEST(Forgery, tokens_belong_to_their_session_and_are_masked_anew) {
    TestBrowser browser = make_browser();
    std::string first = browser.get("/form").body;
    std::string second = browser.get("/form").body;
    EXPECT_NE(first, second);
    EXPECT_TRUE(token_passes(browser, first));
    EXPECT_TRUE(token_passes(browser, second));

    std::string bytes = *base64url_decode(first);
    for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
        std::string flipped = bytes;
        flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
        EXPECT_FALSE(token_passes(browser, base64url_encode(flipped))) << i;
    }
    // Masked once more, cut, doubled, padded.
    std::string twice = std::string(32, '\1') + bytes.substr(32);
    for (char& c : twice) c ^= 1;
    for (const std::string& other :
         {base64url_encode(twice), base64url_encode(bytes.substr(32)), first + first, first + "=",
          first.substr(1), base64url_encode(std::string(64, '\0')), std::string("A")}) {
        EXPECT_FALSE(token_passes(browser, other)) << other;
    }
    EXPECT_FALSE(token_passes(browser, make_browser().get("/form").body));

    browser.get("/login");  // a new session identity: pages of before are too old
    EXPECT_FALSE(token_passes(browser, first));
    EXPECT_TRUE(token_passes(browser, browser.get("/form").body));
    browser.cookies().clear();
    EXPECT_FALSE(token_passes(browser, first));
}

TEST(Forgery, options_open_and_close_what_they_say) {
    TestBrowser sisters = make_browser({.same_site = ForgeryOptions::SameSitePages::allowed});
    expect_everywhere(sisters, {.site = "same-site"}, 200);
    expect_everywhere(sisters, {.site = "cross-site"}, 403);
    TestBrowser strict = make_browser({.token = ForgeryOptions::Token::always});
    expect_everywhere(strict, {.site = "same-origin"}, 403);
    std::string token = strict.get("/form").body;
    expect_everywhere(strict, {.site = "same-origin", .token = token}, 200);
    expect_everywhere(strict, {.site = "cross-site", .token = token}, 403);
}

/// No `Sessions` anywhere: to ask for one would be a fault.
TEST(Forgery, without_tokens_it_needs_no_session_and_refuses_what_browsers_own_up_to) {
    auto router = std::make_shared<Router>();
    router->plug(ProtectFromForgery(
        {.origins = {"https://partner.example"}, .token = ForgeryOptions::Token::never}));
    auto done = [](Conn conn) { return text(conn, 200, "done"); };
    router->get("/do", done);
    for (net::Method method : unsafe_methods) router->add(method, "/do", done);
    TestBrowser browser{TestClient(router, {.environment = Environment::prod})};
    const std::string same = "http://www.example.com";
    for (const Attempt& attempt :
         {Attempt{}, Attempt{.token = "any"}, Attempt{.site = "same-origin"},
          Attempt{.site = "none"}, Attempt{.origin = same},
          Attempt{.origin = "http://my_app:4000", .host = "my_app:4000"},
          Attempt{.origin = "https://partner.example", .site = "cross-site"}})
        expect_everywhere(browser, attempt, 200);
    for (const Attempt& attempt :
         {Attempt{.site = "cross-site"}, Attempt{.site = "same-site"}, Attempt{.origin = "null"},
          Attempt{.origin = "http://evil.example"}, Attempt{.origin = same, .site = "cross-site"},
          Attempt{.origin = "http://www.example.com:8080"},
          Attempt{.origin = "http://evil.example", .site = "cross-site", .token = "any"}})
        expect_everywhere(browser, attempt, 403);
}

TEST(Forgery, a_field_carries_a_token) {
    TestBrowser browser = make_browser();
    std::string field = browser.get("/field").body;
    std::string_view before = "<input type=\"hidden\" name=\"_csrf_token\" value=\"";
    ASSERT_TRUE(field.starts_with(before) && field.ends_with("\">")) << field;
    EXPECT_TRUE(token_passes(browser, field.substr(before.size(), 86)));
}

}  // namespace web_forgery_test
}  // namespace bennu
