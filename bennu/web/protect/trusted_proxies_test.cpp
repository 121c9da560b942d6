#include "bennu/web/protect/trusted_proxies.hpp"

#include <gtest/gtest.h>

#include "bennu/web/protect/forwarded.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_proxies_test {

TEST(IpAddress, has_one_form_of_each_address) {
    struct Row {
        std::string_view text, expected;  // empty: none
    };
    const Row rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:201", "192.0.2.1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"::", "::"},
        {"", ""},
        {"192.0.2", ""},
        {"192.0.2.1.1", ""},
        {"192.0.2.256", ""},
        {"192.0.2.01", ""},
        {"0xc0.0.2.1", ""},
        {"3221225985", ""},
        {" 192.0.2.1", ""},
        {"192.0.2.1:80", ""},
        {"[::1]", ""},
        {"fe80::1%eth0", ""},
        {"1::2::3", ""},
        {"localhost", ""},
        {std::string_view("192.0.2.1\0x", 11), ""},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", ""},
    };
    for (const Row& row : rows) {
        auto address = IpAddress::parse(row.text);
        EXPECT_EQ(address ? address->to_string() : "", row.expected) << row.text;
    }
}

TEST(Cidr, holds_its_addresses_and_no_others) {
    struct Row {
        std::string_view range, inside, outside;
    };
    const Row rows[] = {
        {"10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
        {"192.0.2.128/25", "192.0.2.255", "192.0.2.127"},
        {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
        {"192.0.2.1/32", "192.0.2.1", "192.0.2.0"},
        {"0.0.0.0/0", "203.0.113.9", "2001:db8::1"},
        {"::/0", "2001:db8::1", "203.0.113.9"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
        {"fd00::1", "fd00::1", "fd00::2"},
    };
    for (const Row& row : rows) {
        auto range = Cidr::parse(row.range);
        ASSERT_TRUE(range) << row.range;
        EXPECT_TRUE(range->contains(*IpAddress::parse(row.inside))) << row.range;
        EXPECT_FALSE(range->contains(*IpAddress::parse(row.outside))) << row.range;
    }
    for (std::string_view bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::/129",
                                 "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8x", "10/8", "::1/64"}) {
        EXPECT_FALSE(Cidr::parse(bad)) << bad;
    }
}

std::string hops_as_text(const std::vector<ForwardedHop>& hops) {
    std::string out;
    for (const ForwardedHop& hop : hops) {
        out += "[" + hop.client + " " + hop.scheme + " " + hop.host + "]";
    }
    return out;
}

TEST(Forwarded, is_read_by_its_grammar) {
    struct Row {
        std::string_view value, expected;  // empty: malformed
    };
    const Row rows[] = {
        {"for=192.0.2.1", "[192.0.2.1  ]"},
        {"For=\"[2001:db8::1]:4711\";proto=HTTPS;host=a.example", "[2001:db8::1 https a.example]"},
        {"for=192.0.2.1:80, for=10.0.0.1;proto=http", ""},  // a colon needs quotes
        {"for=\"192.0.2.1:80\" , for=10.0.0.1 ; proto=http", "[192.0.2.1  ][10.0.0.1 http ]"},
        {"for=unknown;by=_x", "[unknown  ]"},
        {"for=\"a\\\"b\"", "[a\"b  ]"},
        {"proto=https", "[ https ]"},
        {"", ""},
        {"for", ""},
        {"for=", ""},
        {"for=a;", ""},
        {"for=a,", ""},
        {"for=\"a", ""},
        {"for=\"a\\", ""},
        {"for=a;for=b", ""},
        {"for =a", ""},
        {"for=a b", ""},
        {"for=[::1]", ""},
    };
    for (const Row& row : rows) {
        auto hops = parse_forwarded(row.value);
        EXPECT_EQ(hops ? hops_as_text(*hops) : "", row.expected) << row.value;
    }
}

TEST(Forwarded, the_older_headers_belong_to_hops_from_the_end) {
    EXPECT_EQ(hops_as_text(parse_x_forwarded("a, 192.0.2.1:80 ,[::1]:9", "HTTPS", "x.example")),
              "[a https x.example][192.0.2.1 https x.example][::1 https x.example]");
    EXPECT_EQ(hops_as_text(parse_x_forwarded("1.1.1.1, 2.2.2.2, 3.3.3.3", "https, http", "")),
              "[1.1.1.1  ][2.2.2.2 https ][3.3.3.3 http ]");
    EXPECT_EQ(hops_as_text(parse_x_forwarded("", "https", "x")), "[ https x]");
    EXPECT_EQ(hops_as_text(parse_x_forwarded("", "http, https", "")), "[ https ]");
    EXPECT_EQ(hops_as_text(parse_x_forwarded("", "", "")), "");
}

std::shared_ptr<Router> proxied_router(TrustedProxies proxies) {
    auto router = std::make_shared<Router>();
    router->plug(std::move(proxies));
    auto show = [](Conn conn) {
        return text(conn, 200,
                    std::string(conn.remote_ip()) +
                        (conn.scheme() == Scheme::https ? " https " : " http ") +
                        std::string(conn.host()));
    };
    router->get("/", show);
    router->host("admin.example", [](RouteScope& admin) {
        admin.get("/", [](Conn conn) { return text(conn, 200, "admin"); });
    });
    return router;
}

using HeaderList = std::vector<std::pair<std::string, std::string>>;

TEST(TrustedProxies, are_believed_and_nobody_else) {
    TestClient client(proxied_router(TrustedProxies({"10.0.0.0/8", "fd00::/8"})));
    struct Row {
        std::string peer;
        HeaderList headers;
        std::string_view expected;
    };
    const HeaderList usual = {{"x-forwarded-for", "203.0.113.9"},
                              {"x-forwarded-proto", "https"},
                              {"x-forwarded-host", "shop.example"}};
    const Row rows[] = {
        {"10.1.2.3", usual, "203.0.113.9 https shop.example"},
        {"::ffff:10.1.2.3", usual, "203.0.113.9 https shop.example"},
        {"fd00::7", usual, "203.0.113.9 https shop.example"},
        {"192.0.2.7", usual, "192.0.2.7 http www.example.com"},
        {"", usual, " http www.example.com"},
        {"10.1.2.3", {}, "10.1.2.3 http www.example.com"},
        // What the client wrote itself comes first in the list and is not reached.
        {"10.1.2.3",
         {{"x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.9.9.9"}},
         "203.0.113.9 http www.example.com"},
        {"10.1.2.3",
         {{"x-forwarded-for", "1.1.1.1"}, {"x-forwarded-for", "203.0.113.9"}},
         "203.0.113.9 http www.example.com"},
        {"10.1.2.3",
         {{"x-forwarded-for", "1.1.1.1, nonsense, 10.9.9.9"}},
         "10.9.9.9 http www.example.com"},
        {"10.1.2.3",
         {{"x-forwarded-for", "nonsense"}, {"x-forwarded-proto", "https"}},
         "10.1.2.3 https www.example.com"},
        // Without the client's address, scheme and host are the proxy's word all the same.
        {"10.1.2.3",
         {{"x-forwarded-proto", "https"}, {"x-forwarded-host", "shop.example"}},
         "10.1.2.3 https shop.example"},
        {"10.1.2.3",
         {{"x-forwarded-for", "unknown"},
          {"x-forwarded-proto", "https"},
          {"x-forwarded-host", "my_app"}},
         "10.1.2.3 https my_app"},
        {"10.1.2.3",
         {{"x-forwarded-for", "unknown, 10.9.9.9"}, {"x-forwarded-proto", "https"}},
         "10.9.9.9 https www.example.com"},
        {"10.1.2.3", {{"x-forwarded-host", "admin.example"}}, "admin"},
        {"192.0.2.7", {{"x-forwarded-proto", "https"}}, "192.0.2.7 http www.example.com"},
        // What came before the unknown one is nobody's word.
        {"10.1.2.3",
         {{"x-forwarded-for", "1.1.1.1, unknown"}, {"x-forwarded-proto", "https, http"}},
         "10.1.2.3 http www.example.com"},
        {"10.1.2.3",
         {{"x-forwarded-for", "203.0.113.9"}, {"x-forwarded-host", "a.example/x"}},
         "203.0.113.9 http www.example.com"},
        {"10.1.2.3",
         {{"x-forwarded-for", "203.0.113.9"}, {"x-forwarded-proto", "gopher"}},
         "203.0.113.9 http www.example.com"},
        {"10.1.2.3",
         {{"forwarded", "for=203.0.113.9;proto=https"}},
         "10.1.2.3 http www.example.com"},
        // Routes go by the host that the client asked for.
        {"10.1.2.3",
         {{"x-forwarded-for", "203.0.113.9"}, {"x-forwarded-host", "admin.example"}},
         "admin"},
        {"192.0.2.7",
         {{"x-forwarded-for", "203.0.113.9"}, {"x-forwarded-host", "admin.example"}},
         "192.0.2.7 http www.example.com"},
    };
    for (const Row& row : rows) {
        TestResponse response = client.send({.headers = row.headers, .peer = {row.peer, 1}});
        EXPECT_EQ(response.body, row.expected) << row.peer;
    }
}

TEST(TrustedProxies, one_family_of_headers_is_read) {
    TestClient client(
        proxied_router(TrustedProxies({"10.0.0.0/8", "unix"}, ForwardingHeaders::forwarded)));
    HeaderList headers = {{"x-forwarded-for", "1.1.1.1"},
                          {"forwarded",
                           "for=2.2.2.2;proto=http, for=\"[2001:db8::1]:5\";"
                           "proto=https;host=shop.example, for=10.0.0.9"}};
    EXPECT_EQ(client.send({.headers = headers, .peer = {"10.1.2.3", 1}}).body,
              "2001:db8::1 https shop.example");
    EXPECT_EQ(client.send({.headers = headers, .peer = {"", 0}}).body,
              "2001:db8::1 https shop.example");
    EXPECT_EQ(
        client.send({.headers = {{"forwarded", "proto=https;host=shop.example"}}, .peer = {"", 0}})
            .body,
        " https shop.example");
    EXPECT_EQ(
        client
            .send({.headers = {{"forwarded", "for=2.2.2.2;for=3.3.3.3"}}, .peer = {"10.1.2.3", 1}})
            .body,
        "10.1.2.3 http www.example.com");
}

TEST(TrustedProxies, a_range_that_is_none_fails_the_start) {
    auto endpoint = Endpoint::make({}, proxied_router(TrustedProxies({"10.0.0.1/8"})));
    ASSERT_FALSE(endpoint);
    EXPECT_EQ(endpoint.error().code(), "bad_cidr");
}

}  // namespace web_proxies_test
}  // namespace bennu
