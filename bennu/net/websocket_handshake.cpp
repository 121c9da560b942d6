#include "bennu/net/websocket_handshake.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/base/random.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

namespace {

constexpr std::size_t reply_limit = 16 * 1024;
constexpr std::string_view unsupported_version = "unsupported_version";

HandshakeCheck refuse(int status, std::string_view code, std::string_view message) {
    return {.refusal = {status, code, message}};
}

bool is_key(std::string_view key) {
    if (key.size() != 24) return false;
    auto bytes = base64_decode(key);
    return bytes && bytes->size() == 16;
}

Error broken(std::string_view what) {
    return Error(ErrorKind::invalid, "bad_handshake",
                 "the server's handshake is broken: " + std::string(what));
}

/// The fields between the status line and the empty line.
Result<Headers> read_fields(std::string_view text) {
    Headers headers;
    while (!text.empty()) {
        auto end = text.find("\r\n");
        if (end == std::string_view::npos) end = text.size();
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + 2));
        auto colon = line.find(':');
        if (colon == std::string_view::npos) return broken("header line without a colon");
        auto name = line.substr(0, colon);
        auto value = trim_ows(line.substr(colon + 1));
        if (!Headers::valid_name(name) || !Headers::valid_value(value))
            return broken("malformed header");
        headers.add(name, value);
    }
    return headers;
}

}  // namespace

bool wants_websocket(const RequestHead& request) {
    return request.websocket_stream || request.headers.has_token("upgrade", "websocket");
}

HandshakeCheck check_websocket_request(const RequestHead& request) {
    const auto& headers = request.headers;
    if (request.method != Method::get)
        return refuse(400, "bad_method", "a WebSocket begins with GET");
    if (request.minor_version != 1) return refuse(400, "bad_version", "a WebSocket needs HTTP/1.1");
    if (!wants_websocket(request))
        return refuse(400, "missing_upgrade", "Upgrade: websocket is missing");
    if (!request.websocket_stream && !headers.has_token("connection", "upgrade")) {
        return refuse(400, "missing_connection", "Connection: Upgrade is missing");
    }
    if (request.has_body())
        return refuse(400, "unexpected_body", "a WebSocket handshake has no body");
    if (headers.count("sec-websocket-version") != 1 ||
        headers.get("sec-websocket-version") != "13") {
        return refuse(request.websocket_stream ? 400 : 426, unsupported_version,
                      "only version 13 of the WebSocket protocol is spoken here");
    }
    auto key = request.websocket_stream ? std::string_view() : headers.get("sec-websocket-key");
    if (!request.websocket_stream && (headers.count("sec-websocket-key") != 1 || !is_key(key))) {
        return refuse(400, "bad_key", "Sec-WebSocket-Key must be 16 bytes in base64");
    }
    HandshakeCheck check{.request = {.key = key, .origin = headers.get("origin")}, .ok = true};
    bool tokens = true;
    for (auto field : headers) {
        if (iequals(field.name, "sec-websocket-extensions")) {
            check.request.extensions.append(check.request.extensions.empty() ? "" : ", ")
                .append(field.value);
        }
        if (!iequals(field.name, "sec-websocket-protocol")) continue;
        for_each_element(field.value, [&](std::string_view protocol) {
            tokens &= is_token(protocol);
            check.request.protocols.push_back(protocol);
        });
    }
    if (!tokens) return refuse(400, "bad_protocol", "Sec-WebSocket-Protocol must list tokens");
    return check;
}

Headers refusal_headers(const HandshakeRefusal& refusal) {
    Headers headers;
    if (refusal.status == 426) headers.add("upgrade", "websocket");
    if (refusal.status == 426 || refusal.code == unsupported_version)
        headers.add("sec-websocket-version", "13");
    return headers;
}

std::string_view select_protocol(const WebSocketRequest& request,
                                 std::span<const std::string_view> supported) {
    for (auto offered : request.protocols) {
        if (std::find(supported.begin(), supported.end(), offered) != supported.end())
            return offered;
    }
    return {};
}

std::string websocket_accept(std::string_view key) {
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    auto digest = sha1(text);
    return base64_encode(as_text(digest));
}

Headers accept_websocket(const WebSocketRequest& request, std::string_view protocol) {
    Headers headers;
    if (!request.key.empty()) {
        headers.add("upgrade", "websocket");
        headers.add("connection", "Upgrade");
        headers.add("sec-websocket-accept", websocket_accept(request.key));
    }
    if (!protocol.empty()) headers.add("sec-websocket-protocol", protocol);
    return headers;
}

Headers accept_websocket(const WebSocketRequest& request, std::string_view protocol,
                         WebSocketOptions& options) {
    Headers headers = accept_websocket(request, protocol);
    if (auto agreed = negotiate_deflate(request.extensions, options.deflate)) {
        headers.add("sec-websocket-extensions", agreed->answer);
        options.agreed = std::make_shared<const DeflateAgreement>(*std::move(agreed));
    }
    return headers;
}

std::string websocket_key() {
    std::array<std::byte, 16> bytes;
    secure_random(bytes);
    return base64_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void append_client_handshake(std::string& out, const ClientHandshake& handshake) {
    bool visible = std::all_of(handshake.target.begin(), handshake.target.end(),
                               [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
    if (!handshake.target.starts_with('/') || !visible) {
        throw std::invalid_argument("WebSocket target must be an encoded path");
    }
    if (!is_host_and_port(handshake.host))
        throw std::invalid_argument("WebSocket host is malformed");
    if (!is_key(handshake.key))
        throw std::invalid_argument("WebSocket key must be 16 bytes in base64");

    out.append("GET ")
        .append(handshake.target)
        .append(" HTTP/1.1\r\nhost: ")
        .append(handshake.host);
    out.append(
        "\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: "
        "13\r\nsec-websocket-key: ");
    out.append(handshake.key).append("\r\n");
    std::string_view separator = "sec-websocket-protocol: ";
    for (auto protocol : handshake.protocols) {
        if (!is_token(protocol)) throw std::invalid_argument("WebSocket protocol is not a token");
        out.append(separator).append(protocol);
        separator = ", ";
    }
    if (!handshake.protocols.empty()) out.append("\r\n");
    if (handshake.extra) {
        for (auto field : *handshake.extra) {
            out.append(field.name).append(": ").append(field.value).append("\r\n");
        }
    }
    out.append("\r\n");
}

Result<ClientHandshakeReply> read_client_handshake(std::string_view input, std::string_view key,
                                                   std::span<const std::string_view> offered) {
    auto end = input.substr(0, reply_limit).find("\r\n\r\n");
    if (end == std::string_view::npos) {
        if (input.size() >= reply_limit) return Error(ErrorKind::too_large, "handshake_too_large");
        return ClientHandshakeReply{};
    }
    auto head = input.substr(0, end);
    auto line = head.substr(0, head.find("\r\n"));
    if (!line.starts_with("HTTP/1.1 ") || line.size() < 12 ||
        (line.size() > 12 && line[12] != ' ')) {
        return broken("bad status line");
    }
    auto status = line.substr(9, 3);
    if (status != "101") {
        return Error(ErrorKind::unsupported, std::string(status),
                     "the server answered " + std::string(line.substr(9)));
    }
    auto fields = read_fields(head.substr(std::min(head.size(), line.size() + 2)));
    if (!fields) return std::move(fields).error();
    if (!fields->has_token("upgrade", "websocket")) return broken("no Upgrade: websocket");
    if (!fields->has_token("connection", "upgrade")) return broken("no Connection: Upgrade");
    if (fields->count("sec-websocket-accept") != 1 ||
        fields->get("sec-websocket-accept") != websocket_accept(key)) {
        return broken("wrong Sec-WebSocket-Accept");
    }
    if (fields->contains("sec-websocket-extensions"))
        return broken("an extension that was not offered");
    auto protocol = fields->get("sec-websocket-protocol");
    if (fields->count("sec-websocket-protocol") > 1 ||
        (!protocol.empty() &&
         std::find(offered.begin(), offered.end(), protocol) == offered.end())) {
        return broken("a protocol that was not offered");
    }
    return ClientHandshakeReply{.consumed = end + 4, .protocol = std::string(protocol)};
}

}  // namespace bennu::net
