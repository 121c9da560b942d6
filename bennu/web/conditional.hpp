#pragma once

#include <optional>
#include <string>

#include "bennu/base/time.hpp"
#include "bennu/web/conn.hpp"

namespace bennu {

/// Answers a conditional or partial GET (RFC 9110, 13.2.2 and 14): the finished 200 with its body
/// and its `etag` or `last-modified` becomes 304, 412, 206 or 416 where the request's If-Match,
/// If-Unmodified-Since, If-None-Match, If-Modified-Since, Range and If-Range say so. HEAD takes the
/// same path, but for ranges. Several ranges at once, and bodies of unknown length, are answered
/// whole. Other statuses and methods are left alone.
void apply_conditions(const Conn& conn, Response& response);

/// Which version of a thing there is: what an action knows before it makes the response.
struct Version {
    /// With its quotes, `"7"`; `W/"7"` where the bytes may differ between equal ones.
    std::string etag = {};
    /// Whole seconds count.
    std::optional<Timestamp> modified = {};
};

/// The `etag` and `last-modified` of a response. A tag that is none is a fault.
Response with_version(Response response, const Version& version);

/// What answers a request whose conditions this version does not meet, so that the action need not
/// go on: 304 to a GET or HEAD of a client that has it, 412 to a change (PUT, PATCH, DELETE, POST)
/// that began from another one, or that wants there to be none (`If-None-Match: *`). If-Match never
/// holds for a weak tag.
std::optional<Response> if_unchanged(const Conn& conn, const Version& version);

}  // namespace bennu
