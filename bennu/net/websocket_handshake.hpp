#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/net/websocket.hpp"

namespace bennu::net {

/// What a client asked for with an upgrade that follows RFC 6455, or an extended CONNECT that
/// follows RFC 8441. Views into the request's head.
struct WebSocketRequest {
    std::string_view key;                     ///< empty over HTTP/2
    std::string_view origin;                  ///< empty when the client sent none: not a browser
    std::vector<std::string_view> protocols;  ///< offered subprotocols, in order
    std::string extensions;                   ///< offered extensions, in order
};

/// Why a request cannot become a WebSocket: `status` is 400, or 426 for another version than 13
/// (400 for that, too, over HTTP/2, which has no Upgrade field to send along).
struct HandshakeRefusal {
    int status = 400;
    std::string_view code;
    std::string_view message;
};

/// Whether the client asks for a WebSocket at all (`Upgrade: websocket`, or `:protocol` over
/// HTTP/2), well or badly.
bool wants_websocket(const RequestHead& request);

/// Checks method, version, tokens, version 13 and key (of HTTP/2 what of these it has); `refusal`
/// is set when the answer is no.
/// Origin and the choice of a protocol are the caller's business.
struct HandshakeCheck {
    WebSocketRequest request;
    HandshakeRefusal refusal;
    bool ok = false;
};
HandshakeCheck check_websocket_request(const RequestHead& request);

/// The headers that a refusal needs beside its status: for another version,
/// `Sec-WebSocket-Version: 13`.
Headers refusal_headers(const HandshakeRefusal& refusal);

/// The first offered protocol that is among `supported`; empty when there is none.
std::string_view select_protocol(const WebSocketRequest& request,
                                 std::span<const std::string_view> supported);

/// Sec-WebSocket-Accept for a key.
std::string websocket_accept(std::string_view key);

/// The fields of a `101 Switching Protocols` answer (over HTTP/2: of the 200 that the connection
/// makes of it); `protocol` may be empty.
/// `append_response_head` with status 101 writes them as they are.
Headers accept_websocket(const WebSocketRequest& request, std::string_view protocol = {});

/// The same, with the extensions that `options` allow: notes in `options.agreed` what it answered.
Headers accept_websocket(const WebSocketRequest& request, std::string_view protocol,
                         WebSocketOptions& options);

struct ClientHandshake {
    std::string_view host;          ///< `name[:port]`
    std::string_view target = "/";  ///< path and query, percent-encoded
    std::string_view key;           ///< base64 of 16 random bytes: `websocket_key`
    std::span<const std::string_view> protocols;
    const Headers* extra = nullptr;  ///< further fields such as Origin or Cookie
};

/// base64 of 16 random bytes.
std::string websocket_key();
/// Appends the client's request head. Throws std::invalid_argument for a host, target or protocol
/// with characters that cannot be there.
void append_client_handshake(std::string& out, const ClientHandshake& handshake);

/// What the server answered. `consumed` is 0 while the head is incomplete; bytes after it are
/// frames.
struct ClientHandshakeReply {
    std::size_t consumed = 0;
    std::string protocol;  ///< empty when the server chose none
};
/// Reads the server's answer from the front of `input`. Errors: `unsupported` for another status
/// than 101 (its number is the error's code), `invalid` for an answer that breaks RFC 6455,
/// `too_large` over 16 KiB.
Result<ClientHandshakeReply> read_client_handshake(std::string_view input, std::string_view key,
                                                   std::span<const std::string_view> offered = {});

}  // namespace bennu::net
