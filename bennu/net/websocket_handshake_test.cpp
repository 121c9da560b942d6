#include "bennu/net/websocket_handshake.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bennu/net/http1_parser.hpp"
#include "bennu/net/http_response.hpp"

namespace bennu::net {
namespace websocket_handshake_test {

constexpr std::string_view rfc_key = "dGhlIHNhbXBsZSBub25jZQ==";

RequestHead parse(std::string_view bytes) {
    Http1Parser parser;
    RequestHead head;
    auto event = parser.next(bytes, head);
    EXPECT_EQ(event.kind, Http1Event::Kind::head) << bytes;
    return head;
}

std::string request_with(std::string_view line, std::string_view fields) {
    return std::string(line) + "\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

struct Case {
    std::string_view line;
    std::string_view fields;
    std::string_view expected;
};

TEST(WebSocketHandshake, ChecksTheRequest) {
    constexpr std::string_view get = "GET /socket HTTP/1.1";
    const Case cases[] = {
        {get,
         "Upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         "ok"},
        {"POST /socket HTTP/1.1",
         "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         "400 bad_method"},
        {"GET / HTTP/1.0", "Upgrade: websocket\r\nConnection: upgrade\r\n", "400 bad_version"},
        {get, "Connection: upgrade\r\n", "400 missing_upgrade"},
        {get, "Upgrade: websocket\r\n", "400 missing_connection"},
        {get, "Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 1\r\n",
         "400 unexpected_body"},
        {get, "Upgrade: websocket\r\nConnection: upgrade\r\n", "426 unsupported_version"},
        {get, "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 8\r\n",
         "426 unsupported_version"},
        {get, "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n",
         "400 bad_key"},
        {get,
         "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: "
         "13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n",
         "400 bad_key"},
        {get,
         "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n",
         "400 bad_key"},
        {get,
         "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a b\r\n",
         "400 bad_protocol"},
    };
    for (const auto& [line, fields, expected] : cases) {
        auto check = check_websocket_request(parse(request_with(line, fields)));
        auto got =
            check.ok ? "ok"
                     : std::to_string(check.refusal.status) + " " + std::string(check.refusal.code);
        EXPECT_EQ(got, expected) << fields;
    }
    EXPECT_EQ(refusal_headers({.status = 426}).get("sec-websocket-version"), "13");
}

TEST(WebSocketHandshake, OverHttp2ItNeedsNoKeyAndNoUpgrade) {
    auto head = parse(
        "GET /s HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: short\r\nSec-WebSocket-Protocol: a\r\n\r\n");
    EXPECT_FALSE(wants_websocket(head));
    head.websocket_stream = true;
    EXPECT_TRUE(wants_websocket(head));
    auto check = check_websocket_request(head);
    ASSERT_TRUE(check.ok);
    EXPECT_EQ(check.request.key, "");
    Headers answer = accept_websocket(check.request, "a");
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer.get("sec-websocket-protocol"), "a");

    auto old = parse("GET /s HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Version: 8\r\n\r\n");
    old.websocket_stream = true;
    auto refused = check_websocket_request(old);
    EXPECT_FALSE(refused.ok);
    EXPECT_EQ(refused.refusal.status, 400);
    Headers fields = refusal_headers(refused.refusal);
    ASSERT_EQ(fields.size(), 1u);
    EXPECT_EQ(fields.get("sec-websocket-version"), "13");
}

TEST(WebSocketHandshake, SelectsAnOfferedProtocol) {
    auto head = parse(
        request_with("GET / HTTP/1.1",
                     "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://h\r\n"
                     "Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.abc\r\n"));
    auto check = check_websocket_request(head);
    ASSERT_TRUE(check.ok);
    EXPECT_EQ(check.request.origin, "http://h");
    ASSERT_EQ(check.request.protocols.size(), 2u);
    const std::string_view supported[] = {"x", "phoenix"};
    EXPECT_EQ(select_protocol(check.request, supported), "phoenix");
    EXPECT_EQ(select_protocol(check.request, std::span(supported).first(1)), "");

    std::string out;
    append_response_head(out, 101, accept_websocket(check.request, "phoenix"), {});
    EXPECT_EQ(out,
              "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
              "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-protocol: "
              "phoenix\r\n\r\n");
}

TEST(WebSocketHandshake, ClientAndServerUnderstandEachOther) {
    auto key = websocket_key();
    EXPECT_NE(key, websocket_key());
    const std::string_view protocols[] = {"phoenix"};
    std::string request;
    append_client_handshake(
        request, {.host = "h:1", .target = "/s?a=b", .key = key, .protocols = protocols});
    auto head = parse(request);
    auto check = check_websocket_request(head);
    ASSERT_TRUE(check.ok) << request;
    std::string reply;
    append_response_head(reply, 101, accept_websocket(check.request, "phoenix"), {.date = "x"});
    for (std::size_t cut = 0; cut < reply.size(); ++cut) {
        auto part = read_client_handshake(std::string_view(reply).substr(0, cut), key, protocols);
        ASSERT_TRUE(part);
        EXPECT_EQ(part->consumed, 0u);
    }
    auto done = read_client_handshake(reply + "\x81", key, protocols);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->consumed, reply.size());
    EXPECT_EQ(done->protocol, "phoenix");
    EXPECT_FALSE(read_client_handshake(reply, websocket_key(), protocols));
    EXPECT_FALSE(read_client_handshake(reply, key));
}

TEST(WebSocketHandshake, ClientRefusesOtherAnswers) {
    auto code = [](std::string_view reply) {
        auto result = read_client_handshake(reply, rfc_key);
        return result ? "ok" : std::string(result.error().code());
    };
    EXPECT_EQ(code("HTTP/1.1 403 Forbidden\r\n\r\n"), "403");
    EXPECT_EQ(code("HTTP/1.0 101 x\r\n\r\n"), "bad_handshake");
    EXPECT_EQ(code("HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
              "bad_handshake");
    EXPECT_EQ(code("HTTP/1.1 101\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                   "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
              "ok");
    EXPECT_EQ(code("HTTP/1.1 101\r\nupgrade: websocket\r\nconnection: "
                   "upgrade\r\nsec-websocket-extensions: x\r\n"
                   "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
              "bad_handshake");
    EXPECT_EQ(code(std::string(20000, 'x')), "handshake_too_large");
}

TEST(WebSocketHandshake, ClientCannotBeMadeToInject) {
    std::string out;
    EXPECT_THROW(append_client_handshake(out, {.host = "h\r\nX: y", .key = rfc_key}),
                 std::invalid_argument);
    EXPECT_THROW(
        append_client_handshake(out, {.host = "h", .target = "/ HTTP/1.1\r\n", .key = rfc_key}),
        std::invalid_argument);
    const std::string_view protocols[] = {"a\r\nb"};
    EXPECT_THROW(
        append_client_handshake(out, {.host = "h", .key = rfc_key, .protocols = protocols}),
        std::invalid_argument);
}

}  // namespace websocket_handshake_test
}  // namespace bennu::net
