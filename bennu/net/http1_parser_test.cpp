#include "bennu/net/http1_parser.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace bennu::net {
namespace http1_parser_test {

using namespace std::string_literals;

/// Everything that the parser says about a stream that arrives in the given pieces, as text. The
/// pieces of a body are joined, since their cuts follow the input's.
std::string trace(const std::vector<std::string_view>& pieces,
                  const Http1Limits& limits = Http1Limits::defaults()) {
    Http1Parser parser(limits);
    RequestHead head;
    std::string buffer, out, body;
    for (auto piece : pieces) {
        buffer += piece;
        while (true) {
            auto event = parser.next(buffer, head);
            body += event.body;
            buffer.erase(0, event.consumed);
            if (event.kind == Http1Event::Kind::body) continue;
            if (event.kind == Http1Event::Kind::need_more) break;
            if (!body.empty()) out += "body " + body + "\n";
            body.clear();
            if (event.kind == Http1Event::Kind::error) {
                return out + std::to_string(event.refusal->status) + " " +
                       std::string(event.refusal->code);
            }
            if (event.kind == Http1Event::Kind::done) {
                out += "done\n";
                continue;
            }
            out += std::string(head.method_text()) + " " + std::string(head.path()) + " ?" +
                   std::string(head.query()) + " @" + std::string(head.host()) +
                   (head.keep_alive ? " keep" : " close") + (head.chunked ? " chunked" : "") +
                   (head.expect_continue ? " expect" : "") + (head.upgrade ? " upgrade" : "");
            if (head.content_length) out += " length=" + std::to_string(*head.content_length);
            out += "\n";
        }
    }
    if (!body.empty()) out += "body " + body + "\n";
    return out;
}

/// The trace, which must be the same however the bytes are cut.
std::string trace_all_splits(std::string_view bytes,
                             const Http1Limits& limits = Http1Limits::defaults()) {
    auto whole = trace({bytes}, limits);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        EXPECT_EQ(trace({bytes.substr(0, cut), bytes.substr(cut)}, limits), whole)
            << "cut at " << cut;
    }
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
    EXPECT_EQ(trace(single, limits), whole) << "byte by byte";
    return whole;
}

struct Case {
    std::string bytes;
    std::string expected;
};

void check(const std::vector<Case>& cases) {
    for (const auto& [bytes, expected] : cases)
        EXPECT_EQ(trace_all_splits(bytes), expected) << bytes;
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

TEST(Http1Parser, AcceptsWhatIsPlain) {
    check({
        {get(""), "GET / ? @h keep\ndone\n"},
        {"GET /a/b?c=d%20e&f=g?h HTTP/1.1\r\nhOsT: example.com:8080\r\n\r\n",
         "GET /a/b ?c=d%20e&f=g?h @example.com:8080 keep\ndone\n"},
        {"\r\nGET / HTTP/1.1\r\nHost:h\r\n\r\n", "GET / ? @h keep\ndone\n"},
        {"GET / HTTP/1.1\r\nHost: [::1]:4000\r\n\r\n", "GET / ? @[::1]:4000 keep\ndone\n"},
        {"PURGE /x HTTP/1.1\r\nHost: h\r\n\r\n", "PURGE /x ? @h keep\ndone\n"},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * ? @h keep\ndone\n"},
        {"GET / HTTP/1.0\r\n\r\n", "GET / ? @ close\ndone\n"},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / ? @ keep\ndone\n"},
        {get("Connection: foo, Close\r\n"), "GET / ? @h close\ndone\n"},
        {get("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"),
         "GET / ? @h keep upgrade\ndone\n"},
        {get("Upgrade: websocket\r\n"), "GET / ? @h keep\ndone\n"},
        {get("X: \t caf\xc3\xa9 \t\r\nEmpty:\r\n"), "GET / ? @h keep\ndone\n"},
    });
}

TEST(Http1Parser, AuthorityOfTheTargetWins) {
    check({
        {"GET http://a.example:81/x?y HTTP/1.1\r\nHost: b\r\n\r\n",
         "GET /x ?y @a.example:81 keep\ndone\n"},
        {"GET HTTP://a HTTP/1.1\r\nHost: b\r\n\r\n", "GET / ? @a keep\ndone\n"},
        {"GET http://a?q HTTP/1.1\r\nHost: b\r\n\r\n", "GET / ?q @a keep\ndone\n"},
        {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_host"},
        {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_host"},
        {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
        {"GET http://a/ HTTP/1.1\r\n\r\n", "400 missing_host"},
    });
    Http1Parser parser;
    RequestHead head;
    parser.next("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", head);
    EXPECT_EQ(head.headers.get("host"), "a");
}

TEST(Http1Parser, ReadsBodies) {
    check({
        {post("Content-Length: 5\r\n", "hello"), "POST / ? @h keep length=5\nbody hello\ndone\n"},
        {post("Content-Length: 0\r\n", ""), "POST / ? @h keep length=0\ndone\n"},
        {post("Content-Length: 2\r\nExpect: 100-continue\r\n", "ok"),
         "POST / ? @h keep expect length=2\nbody ok\ndone\n"},
        {chunked("5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n"),
         "POST / ? @h keep chunked\nbody hello0123456789\ndone\n"},
        {chunked("0000000000000001\r\nx\r\n0\r\nX-Trailer: dropped\r\nY:\r\n\r\n"),
         "POST / ? @h keep chunked\nbody x\ndone\n"},
        {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
         "GET / ? @h keep length=1\nbody x\ndone\n"},
    });
}

TEST(Http1Parser, LeavesPipelinedRequestsInTheInput) {
    check({
        {get("") + post("Content-Length: 3\r\n", "abc") + chunked("1\r\nx\r\n0\r\n\r\n") + get(""),
         "GET / ? @h keep\ndone\nPOST / ? @h keep length=3\nbody abc\ndone\n"
         "POST / ? @h keep chunked\nbody x\ndone\nGET / ? @h keep\ndone\n"},
        {get("") + "garbage\r\n\r\n", "GET / ? @h keep\ndone\n400 bad_request_line"},
    });
}

// The vectors that proxies forward, or that Beast alone lets through, are among these.
TEST(Http1Parser, RefusesSmuggling) {
    check({
        {post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), "400 repeated_length"},
        {post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), "400 repeated_length"},
        {post("Content-Length: 5, 5\r\n", "hello"), "400 bad_length"},
        {post("Content-Length: +5\r\n", "hello"), "400 bad_length"},
        {post("Content-Length: -1\r\n", ""), "400 bad_length"},
        {post("Content-Length: 0x5\r\n", "hello"), "400 bad_length"},
        {post("Content-Length: 5 6\r\n", "hello"), "400 bad_length"},
        {post("Content-Length:\r\n", ""), "400 bad_length"},
        {post("Content-Length: 18446744073709551621\r\n", "hello"), "400 bad_length"},
        {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
         "400 length_and_chunked"},
        {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
         "400 length_and_chunked"},
        {post("Transfer-Encoding: chunked, identity\r\n", ""), "400 bad_transfer_encoding"},
        {post("Transfer-Encoding: identity\r\n", ""), "400 bad_transfer_encoding"},
        {post("Transfer-Encoding: xchunked\r\n", ""), "400 bad_transfer_encoding"},
        {post("Transfer-Encoding: gzip, chunked\r\n", ""), "400 bad_transfer_encoding"},
        {post("Transfer-Encoding: chunked, chunked\r\n", ""), "400 bad_transfer_encoding"},
        {post("Transfer-Encoding: chunked;q=1\r\n", ""), "400 bad_transfer_encoding"},
        {post("Transfer-Encoding: \x0b"
              "chunked\r\n",
              ""),
         "400 bad_character"},
        {post("Transfer-Encoding:\r\n", ""), "400 bad_transfer_encoding"},
        {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ""),
         "400 bad_transfer_encoding"},
        {"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "400 chunked_in_http_1_0"},
        {post("Transfer_Encoding: chunked\r\n", ""), "400 underscore_name"},
        {get("X: a\r\n b\r\n"), "400 obs_fold"},
        {get("X: a\r\n\tContent-Length: 5\r\n"), "400 obs_fold"},
        {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", "400 obs_fold"},
        {get("X : a\r\n"), "400 bad_header"},
        {get(": a\r\n"), "400 bad_header"},
        {get("X\r\n"), "400 bad_header"},
        {get("X(: a\r\n"), "400 bad_header"},
        {get("X\xc3\xa9: a\r\n"), "400 bad_header"},
        {get("X: a\nY: b\r\n"), "400 bad_line_end"},
        {get("X: a\rY: b\r\n"), "400 bad_line_end"},
        {"GET / HTTP/1.1\nHost: h\n\n", "400 bad_line_end"},
        {"GET / HTTP/1.1\r\nHost: h\r\n\n", "400 bad_line_end"},
        {get("X: a\0b\r\n"s), "400 bad_character"},
        {get("X: a\x7f\r\n"), "400 bad_character"},
        {get("X: a\x1b[31m\r\n"), "400 bad_character"},
        {get("Expect: 200-ok\r\n"), "417 unknown_expectation"},
    });
}

TEST(Http1Parser, RefusesBadHosts) {
    check({
        {"GET / HTTP/1.1\r\n\r\n", "400 missing_host"},
        {get("Host: h\r\n"), "400 repeated_host"},
        {get("hOST: other\r\n"), "400 repeated_host"},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 bad_host"},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 bad_host"},
        {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400 bad_host"},
        {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400 bad_host"},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 bad_host"},
        {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "400 bad_host"},
        {"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "400 bad_host"},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400 bad_host"},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400 repeated_host"},
    });
}

TEST(Http1Parser, RefusesBadRequestLines) {
    check({
        {"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_target"},
        {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_target"},
        {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_target"},
        {"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_target"},
        {"GET a HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_target"},
        {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_target"},
        {"GET /\t HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_target"},
        {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "400 bad_target"},
        {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_request_line"},
        {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_request_line"},
        {"GET /\r\nHost: h\r\n\r\n", "400 bad_request_line"},
        {"GET / http/1.1\r\nHost: h\r\n\r\n", "400 bad_request_line"},
        {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", "400 bad_request_line"},
        {"\r\n\r\nGET / HTTP/1.1\r\n\r\n", "400 bad_request_line"},
        {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", "505 bad_version"},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505 bad_version"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 bad_version"},
        {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "501 connect_unsupported"},
        {"\x16\x03\x01\x02", "400 bad_character"},
    });
}

TEST(Http1Parser, RefusesBadChunks) {
    auto refused = "POST / ? @h keep chunked\n400 bad_chunk"s;
    auto after_x = "POST / ? @h keep chunked\nbody x\n400 bad_chunk"s;
    check({
        {chunked("\r\n"), refused},
        {chunked("g\r\n"), refused},
        {chunked("+1\r\nx\r\n"), refused},
        {chunked("0x1\r\nx\r\n"), refused},
        {chunked("1 \r\nx\r\n"), refused},
        {chunked(" 1\r\nx\r\n"), refused},
        {chunked("1\nx\r\n"), refused},
        {chunked("1\rx"), refused},
        {chunked("1;a\nx"), refused},
        {chunked("1;a\rb"), refused},
        {chunked("00000000000000001\r\nx\r\n"), refused},
        {chunked("1\r\nxy"), after_x},
        {chunked("1\r\nx\n0"), after_x},
        {chunked("1\r\nx\r0"), after_x},
        {chunked("1\r\nx\r\n\r\n"), after_x},
        {chunked("0\r\n\n"), refused},
        {chunked("0\r\n a: b\r\n"), refused},
        {chunked("0\r\na : b\r\n"), refused},
        {chunked("0\r\na: b\nc"), refused},
        {chunked("0\r\na\r\n"), refused},
        {chunked("FFFFFFFFFFFFFFFF\r\n"), "POST / ? @h keep chunked\n413 body_too_large"},
        {chunked("1\r\nx\r\nFFFFFFFFFFFFFFFF\r\n"),
         "POST / ? @h keep chunked\nbody x\n413 body_too_large"},
    });
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
    EXPECT_EQ(traced("GET /aaaaaaa HTTP/1.1\r\nHost: h\r\n\r\n"), "414 request_line_too_long");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nHost: h\r\nX: 3456789\r\n\r\n"), "GET / ? @h keep\ndone\n");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nHost: h\r\nX: 34567890\r\n\r\n"), "431 headers_too_large");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:\r\n\r\n"), "GET / ? @h keep\ndone\n");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:\r\nC:\r\n\r\n"),
              "431 headers_too_large");
    EXPECT_EQ(traced("GET / HTTP/1.1\r\nA: 3456789\r\nB: 3456789\r\nC: 3456789\r\nHost: h\r\n\r\n"),
              "431 headers_too_large");
    auto send = [](std::string_view fields) {
        return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields);
    };
    small.header_line = small.header_bytes = 100;
    EXPECT_EQ(traced(send("Content-Length: 5\r\n\r\nhello")),
              "POST / ? @h keep length=5\nbody hello\ndone\n");
    EXPECT_EQ(traced(send("Content-Length: 6\r\n\r\nhello!")),
              "POST / ? @h keep length=6\n413 body_too_large");
    auto head = send("Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(traced(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              "POST / ? @h keep chunked\nbody abcde\ndone\n");
    EXPECT_EQ(traced(head + "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"),
              "POST / ? @h keep chunked\nbody abc\n413 body_too_large");
    EXPECT_EQ(traced(head + "1;ab\r\na\r\n1;cd\r\na\r\n0\r\n\r\n"),
              "POST / ? @h keep chunked\nbody aa\ndone\n");
    EXPECT_EQ(traced(head + "1;ab\r\na\r\n1;cde\r\na\r\n0\r\n\r\n"),
              "POST / ? @h keep chunked\nbody a\n400 chunk_extension_too_large");
    EXPECT_EQ(traced(head + "0\r\na: bcdefg\r\n\r\n"), "POST / ? @h keep chunked\ndone\n");
    EXPECT_EQ(traced(head + "0\r\na: bcdefghi\r\n\r\n"),
              "POST / ? @h keep chunked\n431 headers_too_large");
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
