#include "bennu/net/http1_parser.hpp"

#include <gtest/gtest.h>

#include "bennu/net/http1_trace.hpp"

namespace bennu::net {
namespace http1_parser_test {

/// The trace, which must be the same however the bytes are cut.
std::string trace_all_splits(std::string_view bytes,
                             const Http1Limits& limits = Http1Limits::defaults()) {
    auto whole = trace_http1({bytes}, limits);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        EXPECT_EQ(trace_http1({bytes.substr(0, cut), bytes.substr(cut)}, limits), whole)
            << "cut at " << cut;
    }
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
    EXPECT_EQ(trace_http1(single, limits), whole) << "byte by byte";
    return whole;
}

std::string get(std::string_view fields) {
    return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view fields, std::string_view body) {
    return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
std::string chunked(std::string_view body) {
    return post("Transfer-Encoding: chunked\r\n", body);
}

TEST(Http1Parser, AuthorityOfTheTargetReplacesTheHost) {
    Http1Parser parser;
    RequestHead head;
    parser.next("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", head);
    EXPECT_EQ(head.headers.get("host"), "a");
}

TEST(Http1Parser, HoldsItsLimits) {
    Http1Limits small{.request_line = 20,
                      .header_line = 10,
                      .header_bytes = 40,
                      .header_count = 3,
                      .body = 5,
                      .chunk_extension_bytes = 4,
                      .trailer_bytes = 12};
    auto traced = [&](std::string_view bytes) { return trace_all_splits(bytes, small); };
    EXPECT_EQ(traced("GET /aaaaaa HTTP/1.1\r\nHost: h\r\n\r\n"), "GET /aaaaaa ? @h keep\ndone\n");
    EXPECT_EQ(traced("GET /aaaaaaa HTTP/1.1\r\nHost: h\r\n\r\n"), "414 request_line_too_long\n");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nHost: h\r\nX: 3456789\r\n\r\n"), "GET / ? @h keep\ndone\n");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nHost: h\r\nX: 34567890\r\n\r\n"),
              "431 headers_too_large\n");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:\r\n\r\n"), "GET / ? @h keep\ndone\n");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:\r\nC:\r\n\r\n"),
              "431 headers_too_large\n");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nA: 3456789\r\nB: 3456789\r\nC: 3456789\r\nHost: h\r\n\r\n"),
              "431 headers_too_large\n");
    auto send = [](std::string_view fields) {
        return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields);
    };
    small.header_line = small.header_bytes = 100;
    EXPECT_EQ(traced(send("Content-Length: 5\r\n\r\nhello")),
              "POST / ? @h keep length=5\nbody hello\ndone\n");
    EXPECT_EQ(traced(send("Content-Length: 6\r\n\r\nhello!")),
              "POST / ? @h keep length=6\n413 body_too_large\n");
    auto head = send("Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(traced(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              "POST / ? @h keep chunked\nbody abcde\ndone\n");
    EXPECT_EQ(traced(head + "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"),
              "POST / ? @h keep chunked\nbody abc\n413 body_too_large\n");
    EXPECT_EQ(traced(head + "1;ab\r\na\r\n1;cd\r\na\r\n0\r\n\r\n"),
              "POST / ? @h keep chunked\nbody aa\ndone\n");
    EXPECT_EQ(traced(head + "1;ab\r\na\r\n1;cde\r\na\r\n0\r\n\r\n"),
              "POST / ? @h keep chunked\nbody a\n400 chunk_extension_too_large\n");
    EXPECT_EQ(traced(head + "0\r\na: bcdefg\r\n\r\n"),
              "POST / ? @h keep chunked\ndone a=bcdefg;\n");
    EXPECT_EQ(traced(head + "0\r\na: bcdefghi\r\n\r\n"),
              "POST / ? @h keep chunked\n431 headers_too_large\n");
}

TEST(Http1Parser, KeepsTrailersApart) {
    auto bytes = chunked(
                     "1\r\nx\r\n0\r\nX-Sum: \t 1 \r\nhost: evil\r\nContent-Length: 9\r\n"
                     "Authorization: x\r\nEmpty:\r\n\r\n") +
                 get("");
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        Http1Parser parser;
        RequestHead head;
        std::string buffer = bytes.substr(0, cut), seen;
        for (bool rest : {false, true}) {
            if (rest) buffer += bytes.substr(cut);
            while (true) {
                auto event = parser.next(buffer, head);
                buffer.erase(0, event.consumed);
                if (event.kind == Http1Event::Kind::need_more) break;
                ASSERT_NE(event.kind, Http1Event::Kind::error);
                if (event.kind != Http1Event::Kind::done) continue;
                EXPECT_EQ(head.headers.get("host"), "h");
                EXPECT_FALSE(head.headers.contains("x-sum"));
                seen += "|";
                if (auto trailers = parser.take_trailers()) {
                    for (auto [name, value] : *trailers)
                        seen += std::string(name) + "=" + std::string(value) + ";";
                }
            }
        }
        EXPECT_EQ(seen, "|X-Sum=1;Empty=;|") << cut;
    }
}

TEST(Http1Parser, BodyLimitIsPerRequest) {
    auto bytes = post("Content-Length: 3\r\n", "abc") + post("Content-Length: 3\r\n", "abc");
    Http1Parser parser;
    RequestHead head;
    auto event = parser.next(bytes, head);
    ASSERT_EQ(event.kind, Http1Event::Kind::head);
    parser.body_limit(2);
    event = parser.next(std::string_view(bytes).substr(event.consumed), head);
    ASSERT_EQ(event.kind, Http1Event::Kind::error);
    EXPECT_EQ(event.refusal, &refusals::body_too_large);
}

TEST(Http1Parser, IsIdleBetweenRequestsOnly) {
    Http1Parser parser;
    RequestHead head;
    EXPECT_TRUE(parser.idle());
    parser.next("G", head);
    EXPECT_FALSE(parser.idle());
    auto event = parser.next(get(""), head);
    EXPECT_FALSE(parser.idle());
    EXPECT_EQ(event.consumed, get("").size());
    EXPECT_EQ(parser.next("", head).kind, Http1Event::Kind::done);
    EXPECT_TRUE(parser.idle());
    EXPECT_LE(sizeof(Http1Parser), 88u);
}

TEST(Http1Parser, HeadSurvivesMoveAndCopy) {
    Http1Parser parser;
    RequestHead head;
    parser.next("GET /x?y HTTP/1.1\r\nHost: h\r\nA: 1\r\n\r\n", head);
    auto copy = head;
    auto moved = std::move(head);
    EXPECT_EQ(moved.path(), "/x");
    EXPECT_EQ(copy.query(), "y");
    EXPECT_EQ(copy.headers.get("a"), "1");
}

}  // namespace http1_parser_test
}  // namespace bennu::net
