#pragma once

#include "bennu/web/conn.hpp"

namespace bennu {

/// Answers a conditional or partial GET (RFC 9110, 13.2.2 and 14): the finished 200 with its body
/// and its `etag` or `last-modified` becomes 304, 412, 206 or 416 where the request's If-Match,
/// If-Unmodified-Since, If-None-Match, If-Modified-Since, Range and If-Range say so. HEAD takes the
/// same path, but for ranges. Several ranges at once, and bodies of unknown length, are answered
/// whole. Other statuses and methods are left alone.
void apply_conditions(const Conn& conn, Response& response);

}  // namespace bennu
