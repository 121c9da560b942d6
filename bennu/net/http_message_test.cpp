#include "bennu/net/http_message.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bennu/net/http_response.hpp"

namespace bennu::net {
namespace http_message_test {

using namespace std::string_literals;

std::string all(const Headers& headers) {
    std::string out;
    for (auto field : headers)
        out += std::string(field.name) + "=" + std::string(field.value) + ";";
    return out;
}

TEST(Headers, KeepOrderAndIgnoreCase) {
    Headers headers;
    headers.add("B", "1");
    headers.add("a", "2");
    headers.add("b", "3");
    EXPECT_EQ(all(headers), "B=1;a=2;b=3;");
    EXPECT_EQ(headers.get("b"), "1");
    EXPECT_EQ(headers.count("B"), 2u);
    headers.set("b", "4");
    EXPECT_EQ(all(headers), "a=2;b=4;");
    headers.erase("A");
    EXPECT_EQ(all(headers), "b=4;");
    EXPECT_FALSE(headers.contains("a"));
}

TEST(Headers, TakeViewsOfThemselves) {
    Headers headers;
    headers.add("a", "some value that is long enough");
    for (int i = 0; i < 20; ++i) headers.add("copy", headers.get("a"));
    headers.set("a", headers.get("copy"));
    EXPECT_EQ(headers.get("a"), "some value that is long enough");
    headers.set(headers[0].name, "x");
    EXPECT_EQ(all(headers), "a=some value that is long enough;copy=x;");
}

TEST(Headers, FindTokensInLists) {
    Headers headers;
    headers.add("Connection", "keep-alive, Upgrade");
    headers.add("Connection", ",x ,");
    EXPECT_TRUE(headers.has_token("connection", "upgrade"));
    EXPECT_TRUE(headers.has_token("connection", "X"));
    EXPECT_FALSE(headers.has_token("connection", "keep"));
}

TEST(Headers, RefuseInjection) {
    Headers headers;
    for (auto value : {"a\r\nSet-Cookie: x"s, "a\nb"s, "a\rb"s, "a\0b"s, "a\x7f"s, "\x1b[0m"s}) {
        EXPECT_THROW(headers.add("x", value), std::invalid_argument);
        EXPECT_THROW(headers.set("x", value), std::invalid_argument);
        EXPECT_FALSE(Headers::valid_value(value));
    }
    for (auto name : {""s, "a b"s, "a:"s, "a\r\nb"s, "a\0"s, "\xc3\xa9"s}) {
        EXPECT_THROW(headers.add(name, "x"), std::invalid_argument);
    }
    EXPECT_TRUE(headers.empty());
    headers.add("x", "tab\tand caf\xc3\xa9");
}

TEST(Method, HasNames) {
    EXPECT_EQ(method_from("DELETE"), Method::delete_);
    EXPECT_EQ(method_from("get"), Method::other);
    EXPECT_EQ(to_string(Method::patch), "PATCH");
}

std::string head(int status, const Headers& headers, ResponseFraming framing) {
    std::string out;
    append_response_head(out, status, headers, framing);
    return out;
}

TEST(Response, FramesEveryBody) {
    Headers headers;
    headers.add("x", "y");
    EXPECT_EQ(head(200, headers, {.length = 12}),
              "HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 12\r\n\r\n");
    EXPECT_EQ(
        head(404, {}, {.keep_alive = false, .date = "D"}),
        "HTTP/1.1 404 Not Found\r\ndate: D\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    EXPECT_EQ(head(200, {}, {.body = BodyFraming::chunked}),
              "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    EXPECT_EQ(head(200, {}, {.body = BodyFraming::until_close}),
              "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    EXPECT_EQ(head(200, {}, {.length = 1, .minor_version = 0}),
              "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\n");
    EXPECT_EQ(head(204, {}, {.length = 9}), "HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(head(304, {}, {.length = 9}), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(Response, FramingFieldsComeFromTheFramingAlone) {
    Headers headers;
    for (auto name : {"Content-Length", "transfer-encoding", "Connection", "Keep-Alive", "DATE"})
        headers.add(name, "1");
    EXPECT_EQ(head(200, headers, {.length = 2}), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
}

TEST(Response, WhatCanBeUpgradedToIsSaidOfTheConnection) {
    Headers headers;
    headers.add("upgrade", "websocket");
    EXPECT_EQ(head(426, headers, {}),
              "HTTP/1.1 426 Upgrade Required\r\nupgrade: websocket\r\ncontent-length: 0\r\n"
              "connection: upgrade\r\n\r\n");
    EXPECT_TRUE(head(426, headers, {.keep_alive = false})
                    .contains("connection: upgrade\r\nconnection: close\r\n"));
}

TEST(Response, EncodesChunks) {
    std::string out;
    append_chunk(out, "");
    append_chunk(out, std::string(26, 'x'));
    out += last_chunk;
    EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

TEST(Response, AnswersRefusals) {
    std::string out;
    append_refusal(out, refusals::request_line_too_long);
    EXPECT_EQ(out,
              "HTTP/1.1 414 URI Too Long\r\ncontent-type: text/plain; "
              "charset=utf-8\r\ncontent-length: 29\r\n"
              "connection: close\r\n\r\nthe request line is too long\n");
}

TEST(HttpDate, WritesTheFixedForm) {
    HttpDate date;
    EXPECT_EQ(date.at({784'111'777'000}), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(date.at({784'111'777'999}), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(date.at({0}), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(date.at({1'709'251'199'000}), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(HttpDate, ReadsTheThreeForms) {
    Timestamp now{1'767'225'600'000};  // 2026
    auto read = [&](std::string_view text) {
        auto at = parse_http_date(text, now);
        return at ? at->ms : -1;
    };
    EXPECT_EQ(read("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777'000);
    EXPECT_EQ(read("Sunday, 06-Nov-94 08:49:37 GMT"), 784'111'777'000);
    EXPECT_EQ(read("Sun Nov  6 08:49:37 1994"), 784'111'777'000);
    EXPECT_EQ(read("Sun Nov 06 08:49:37 1994"), 784'111'777'000);
    EXPECT_EQ(read("Thursday, 01-Jan-26 00:00:00 GMT"), 1'767'225'600'000);
    for (std::string_view bad :
         {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
          "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
          "Sun, 06 anF 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
          "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "784111777"}) {
        EXPECT_EQ(read(bad), -1) << bad;
    }
}

}  // namespace http_message_test
}  // namespace bennu::net
