#include "bennu/net/url.hpp"

#include <gtest/gtest.h>

namespace bennu::net {
namespace url_test {

using namespace std::string_literals;

std::string segments(std::string_view path) {
    auto split = split_path(path);
    if (!split) return std::string(split.error().code());
    std::string out;
    for (const auto& segment : *split) out += "[" + segment + "]";
    return out;
}

std::string query(std::string_view text, QueryLimits limits = {}) {
    auto parsed = parse_query(text, limits);
    return parsed ? to_json(*parsed) : std::string(parsed.error().code());
}

TEST(Url, DecodesPercentStrictly) {
    EXPECT_EQ(*percent_decode("a%20b%2Fc+d"), "a b/c+d");
    EXPECT_EQ(*percent_decode("a+b%2b", PlusSign::space), "a b+");
    EXPECT_EQ(*percent_decode("%00%fF"), "\0\xff"s);
    for (auto bad : {"%", "%2", "%zz", "%2g", "a%", "%%20", "%u0041"})
        EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(Url, EncodesAllButTheUnreserved) {
    EXPECT_EQ(percent_encode("aZ9-._~ /?&=+%\xc3\xa9"), "aZ9-._~%20%2F%3F%26%3D%2B%25%C3%A9");
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    EXPECT_EQ(*percent_decode(percent_encode(all)), all);
}

TEST(Url, SplitsPaths) {
    EXPECT_EQ(segments(""), "");
    EXPECT_EQ(segments("/"), "");
    EXPECT_EQ(segments("/a/b%20c/"), "[a][b c]");
    EXPECT_EQ(segments("//a///b"), "[a][b]");
    EXPECT_EQ(segments("/caf%C3%A9/..."), "[caf\xc3\xa9][...]");
    for (auto bad : {"a", "/..", "/a/../b", "/a/%2e%2E/b", "/.", "/%2e", "/a%2fb", "/a%5Cb",
                     "/a\\b", "/a%00", "/a%0d%0a", "/%7f", "/%ff", "/%", "/%c0%af"}) {
        EXPECT_EQ(segments(bad), "bad_path") << bad;
    }
}

TEST(Url, ParsesQueries) {
    EXPECT_EQ(query(""), "{}");
    EXPECT_EQ(query("a=1&b=x+y%26"), R"({"a":"1","b":"x y&"})");
    EXPECT_EQ(query("&&a&b=&=c&"), R"({"a":"","b":"","":"c"})");
    EXPECT_EQ(query("a=1&a=2"), R"({"a":"2"})");
    EXPECT_EQ(query("a=b=c"), R"({"a":"b=c"})");
    EXPECT_EQ(query("z=1&a=2&m=3"), R"({"z":"1","a":"2","m":"3"})");
    EXPECT_EQ(query("a[b]=1&a[c][d]=2"), R"({"a":{"b":"1","c":{"d":"2"}}})");
    EXPECT_EQ(query("a[]=1&a[]=2&a%5B%5D=3"), R"({"a":["1","2","3"]})");
    EXPECT_EQ(query("a[][b]=1&a[][b]=2"), R"({"a":[{"b":"1"},{"b":"2"}]})");
    EXPECT_EQ(query("cost[gte]=100&sort=-updated_at"),
              R"({"cost":{"gte":"100"},"sort":"-updated_at"})");
}

TEST(Url, TakesMalformedBracketsAsText) {
    EXPECT_EQ(query("a[b=1&c]=2&[d]=3&a[b]c=4&a[[b]]=5&a[b]]=6"),
              R"({"a[b":"1","c]":"2","[d]":"3","a[b]c":"4","a[[b]]":"5","a[b]]":"6"})");
}

TEST(Url, RefusesBadQueries) {
    EXPECT_EQ(query("a=%"), "bad_percent_encoding");
    EXPECT_EQ(query("%zz=1"), "bad_percent_encoding");
    EXPECT_EQ(query("a=%ff"), "invalid_utf8");
    EXPECT_EQ(query("%c0%80=x"), "invalid_utf8");
    EXPECT_EQ(query("a=1&a[b]=2"), "conflicting_parameter");
    EXPECT_EQ(query("a[b]=1&a=2"), "conflicting_parameter");
    EXPECT_EQ(query("a[b]=1&a[]=2"), "conflicting_parameter");
    EXPECT_EQ(query("a[]=1&a[b]=2"), "conflicting_parameter");
}

TEST(Url, HoldsItsLimits) {
    EXPECT_EQ(query("a&b&c", {.parameters = 3}), R"({"a":"","b":"","c":""})");
    EXPECT_EQ(query("a&b&c&d", {.parameters = 3}), "too_many_parameters");
    EXPECT_EQ(query("a[b][c]=1", {.depth = 2}), R"({"a":{"b":{"c":"1"}}})");
    EXPECT_EQ(query("a[b][c][]=1", {.depth = 2}), "too_deep");
    std::string deep = "a";
    for (int i = 0; i < 100'000; ++i) deep += "[]";
    EXPECT_EQ(query(deep + "=1"), "too_deep");
}

TEST(Url, EncodesQueries) {
    auto text = "a=1&b%20c=x%26&d[e]=2&f[]=3&f[]=4&g[][h]=5"s;
    EXPECT_EQ(encode_query(*parse_query(text)), text);
    EXPECT_EQ(encode_query(Json::object({{"n", 1}, {"t", true}, {"z", nullptr}})), "n=1&t=true&z=");
}

}  // namespace url_test
}  // namespace bennu::net
