#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/net/http1_refusal.hpp"
#include "bennu/net/http_date.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu::net {

/// `OK` for 200, …; `Unknown` for a status without a registered phrase.
std::string_view reason_phrase(int status);

/// How the end of a response's body is marked.
enum class BodyFraming : std::uint8_t {
    length,       ///< Content-Length; also the answer to HEAD, whose body is not sent
    chunked,      ///< HTTP/1.1 only
    until_close,  ///< HTTP/1.0 streams: the connection closes after the body
    none,         ///< no body and no header about it: 204, 304 and 1xx
};

struct ResponseFraming {
    BodyFraming body = BodyFraming::length;
    std::uint64_t length = 0;
    bool keep_alive = true;
    std::uint8_t minor_version =
        1;                  ///< the request's; HTTP/1.0 needs `Connection: keep-alive` said aloud
    std::string_view date;  ///< from HttpDate; empty: no Date field
};

/// Appends status line, `headers` and the fields that frame the message. Content-Length,
/// Transfer-Encoding, Connection, Keep-Alive and Date come from `framing` alone; those in `headers`
/// are left out, so nobody can send two; where `headers` say what could be upgraded to (426), the
/// Connection field says `upgrade`, too. With 204, 304 and 1xx the framing is always `none`.
void append_response_head(std::string& out, int status, const Headers& headers,
                          const ResponseFraming& framing);

/// A whole small response with `Connection: close`, for what the parser refused.
void append_refusal(std::string& out, const Http1Refusal& refusal, std::string_view date = {});

/// `HTTP/1.1 100 Continue` with its empty line.
inline constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

/// Appends one chunk; empty data appends nothing, since an empty chunk ends the body.
void append_chunk(std::string& out, std::string_view data);
/// `size CRLF`, for writers that gather; the data and a CRLF follow it.
void append_chunk_size(std::string& out, std::uint64_t size);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";
/// The same with fields that follow the body.
void append_last_chunk(std::string& out, const Headers& trailers);

}  // namespace bennu::net
