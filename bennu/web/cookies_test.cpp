#include "bennu/web/cookies.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bennu/web/testing.hpp"

namespace bennu {
namespace {

TEST(Cookies, are_found_in_the_header) {
    struct Row {
        std::string_view header;
        std::string_view expected;
    };
    constexpr Row rows[] = {
        {"a=1", "1"},
        {"b=2; a=1", "1"},
        {"b=2;a=1", "1"},
        {"a=\"quoted\"", "quoted"},
        {"a=x=y; a=2", "x=y"},
        {"a=", ""},
        {"aa=1", "-"},
        {"b=a=1", "-"},
        {"", "-"},
        {";;; a = 1 ;", "1"},
        {"a", "-"},
        {"A=1", "-"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(find_cookie(row.header, "a").value_or("-"), row.expected) << row.header;
    }
}

TEST(Cookies, are_found_in_every_field_of_a_request) {
    auto router = std::make_shared<Router>();
    router->get("/", [](Conn conn) {
        const auto said = [&](std::string_view name) {
            return std::string(conn.cookie(name).value_or("-"));
        };
        return text(conn, 200, said("a") + said("b") + said("c") + said("d"));
    });
    TestClient client(router);
    TestRequest request{.method = net::Method::get, .target = "/"};
    request.headers.emplace_back("cookie", "a=1; b=2");
    request.headers.emplace_back("x-other", "d=9");
    request.headers.emplace_back("Cookie", "b=8; c=3");
    EXPECT_EQ(client.send(std::move(request)).body, "123-");
}

TEST(Cookies, are_careful_by_default) {
    EXPECT_EQ(format_set_cookie({.name = "s", .value = "1"}),
              "s=1; Path=/; HttpOnly; SameSite=Lax");
    EXPECT_EQ(format_set_cookie({.name = "__Host-s", .value = "1", .same_site = SameSite::strict}),
              "__Host-s=1; Path=/; HttpOnly; Secure; SameSite=Strict");
    EXPECT_EQ(format_set_cookie({.name = "s",
                                 .value = "1",
                                 .domain = "example.com",
                                 .max_age = std::chrono::hours(1),
                                 .same_site = SameSite::none,
                                 .http_only = false}),
              "s=1; Path=/; Domain=example.com; Max-Age=3600; Secure; SameSite=None");
}

TEST(Cookies, cannot_be_used_to_inject) {
    const Cookie bad[] = {
        {.name = "a b", .value = "1"},
        {.name = "", .value = "1"},
        {.name = "a", .value = "1; Domain=evil.example"},
        {.name = "a", .value = "1\r\nset-cookie: b=2"},
        {.name = "a", .value = "1", .path = "/; Secure"},
        {.name = "a", .value = "1", .domain = "x\n"},
        {.name = "a", .value = std::string("1\0", 2)},
    };
    for (const Cookie& cookie : bad) {
        EXPECT_THROW(format_set_cookie(cookie), std::invalid_argument) << cookie.value;
    }
}

}  // namespace
}  // namespace bennu
