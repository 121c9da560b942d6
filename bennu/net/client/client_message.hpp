#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/record_json.hpp"
#include "bennu/base/time.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/net/client/client_upload.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu::net {

/// How the body of an answer is to come.
enum class Delivery : std::uint8_t {
    gathered,  ///< as a text
    streamed,  ///< piece by piece, as `ClientResponse::stream`
};

/// A request on its way through the steps to the transport. Copyable, so that it can be sent again.
struct ClientRequest {
    Method method = Method::get;
    /// Absolute when it reaches the transport; before that it may be a path under a base URL.
    std::string url;
    Headers headers = {};
    std::string body = {};
    /// When the whole call must be over, with all its attempts. `HttpClient` sets it.
    Instant deadline = Instant::max();
    /// Of one attempt: until the connection stands, with its TLS.
    Duration connect_timeout = std::chrono::seconds(10);
    /// Of one attempt: until the head of the answer is there.
    Duration head_timeout = std::chrono::seconds(30);
    /// Of the answer, decoded unless it is streamed; over: `too_large`.
    std::uint64_t max_body = 16 << 20;
    /// When not empty, the numeric address to connect to instead of asking for the host's.
    std::string address = {};
    /// Instead of `body`.
    ClientUpload upload = {};
    Delivery delivery = Delivery::gathered;
    /// Of one attempt: how long nothing may move while a body is on its way, in either direction.
    /// Waiting for whoever reads a stream, or makes an upload, does not count.
    Duration idle_timeout = std::chrono::seconds(30);
    /// When a streamed body must be over; `deadline` is then for all that is before it.
    Instant body_deadline = Instant::max();

    /// What a streamed answer to this request must keep to.
    BodyLimits body_limits() const { return {idle_timeout, body_deadline, max_body}; }
};

struct ClientResponse {
    int status = 0;
    Headers headers = {};
    /// Decoded: gzip, brotli and zstd are undone by the transport. Empty when streamed.
    std::string body = {};
    /// What was asked in the end, after redirects.
    std::string url = {};
    /// `1.1` or `2`; empty when no network was involved.
    std::string version = {};
    /// The body of an answer that was asked for with `Delivery::streamed`.
    ClientBody stream = {};

    bool ok() const { return status >= 200 && status < 300; }
    /// The body as JSON, after a byte order mark if it has one; errors as those of `parse_json`.
    Result<Json> json() const {
        return parse_json(without_byte_order_mark(body), {.max_bytes = body.size() + 1});
    }
    /// The body as a record. Fields that the record does not know are skipped.
    template <Record T>
    Result<T> json() const {
        Result<Json> parsed = json();
        if (!parsed) return std::move(parsed).error();
        return from_json<T>(*parsed, {.unknown = Unknown::ignore});
    }
};

}  // namespace bennu::net
