#pragma once

#include <string_view>

namespace bennu::net {

/// Why a request was refused: the status to answer with, a stable word for logs and counters, and a
/// line for people.
struct Http1Refusal {
    int status;
    std::string_view code;
    std::string_view message;
};

/// Every reason the codecs of HTTP/1.1 and HTTP/2 know. Compare by address or by `code`.
namespace refusals {
inline constexpr Http1Refusal bad_line_end{400, "bad_line_end",
                                           "a line must end with CR LF and nothing else"};
inline constexpr Http1Refusal bad_character{400, "bad_character", "control character in the head"};
inline constexpr Http1Refusal obs_fold{400, "obs_fold", "folded header lines are not accepted"};
inline constexpr Http1Refusal bad_request_line{400, "bad_request_line",
                                               "the request line is malformed"};
inline constexpr Http1Refusal bad_target{400, "bad_target", "the request target is malformed"};
inline constexpr Http1Refusal bad_header{400, "bad_header", "a header field is malformed"};
inline constexpr Http1Refusal underscore_name{400, "underscore_name",
                                              "header names with an underscore are not accepted"};
inline constexpr Http1Refusal missing_host{400, "missing_host", "the Host header is missing"};
inline constexpr Http1Refusal repeated_host{400, "repeated_host", "more than one Host header"};
inline constexpr Http1Refusal bad_host{400, "bad_host", "the host is malformed"};
inline constexpr Http1Refusal repeated_length{400, "repeated_length",
                                              "more than one Content-Length"};
inline constexpr Http1Refusal bad_length{400, "bad_length", "Content-Length is not a plain number"};
inline constexpr Http1Refusal length_and_chunked{400, "length_and_chunked",
                                                 "Content-Length together with Transfer-Encoding"};
inline constexpr Http1Refusal bad_transfer_encoding{400, "bad_transfer_encoding",
                                                    "Transfer-Encoding must be exactly: chunked"};
inline constexpr Http1Refusal chunked_in_http_1_0{400, "chunked_in_http_1_0",
                                                  "Transfer-Encoding does not exist in HTTP/1.0"};
inline constexpr Http1Refusal bad_chunk{400, "bad_chunk", "the chunked body is malformed"};
inline constexpr Http1Refusal chunk_extension_too_large{400, "chunk_extension_too_large",
                                                        "the chunk extensions are too large"};
inline constexpr Http1Refusal body_too_large{413, "body_too_large", "the body is too large"};
inline constexpr Http1Refusal request_line_too_long{414, "request_line_too_long",
                                                    "the request line is too long"};
inline constexpr Http1Refusal unknown_expectation{
    417, "unknown_expectation", "the only expectation known here is 100-continue"};
inline constexpr Http1Refusal headers_too_large{431, "headers_too_large",
                                                "the header fields are too large"};
inline constexpr Http1Refusal connect_unsupported{501, "connect_unsupported",
                                                  "this server is not a proxy"};
inline constexpr Http1Refusal unknown_protocol{501, "unknown_protocol",
                                               "the only protocol spoken on a stream is websocket"};
inline constexpr Http1Refusal bad_websocket_stream{
    400, "bad_websocket_stream", "the stream of a WebSocket has no length and begins open"};
inline constexpr Http1Refusal bad_version{505, "bad_version",
                                          "this server speaks HTTP/1.0 and HTTP/1.1 here"};
}  // namespace refusals

}  // namespace bennu::net
