#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/json.hpp"
#include "bennu/base/result.hpp"

namespace bennu::net {

enum class PlusSign : unsigned char { literal, space };

/// Strict: every `%` must begin two hex digits, else `invalid` with code `bad_percent_encoding`.
/// The result may be any bytes.
Result<std::string> percent_decode(std::string_view text, PlusSign plus = PlusSign::literal);
/// Leaves letters, digits and `-._~`; everything else becomes `%XX`. Fits a path segment, a query
/// key and a query value.
std::string percent_encode(std::string_view text);

/// The decoded segments of a path that begins with `/`; empty segments are dropped, so `/`, `//`
/// and `` give none and a trailing slash changes nothing. Refused as `invalid` with code
/// `bad_path`: bad percent encoding, ill-formed UTF-8, control characters, `.` and `..` in any
/// spelling, and an encoded slash or backslash, since servers and proxies disagree on what those
/// mean.
Result<std::vector<std::string>> split_path(std::string_view path);

struct QueryLimits {
    std::size_t parameters = 1000;  ///< over: `too_large`, code `too_many_parameters`
    std::size_t depth = 8;          ///< brackets in one key; over: `too_large`, code `too_deep`
};

/// Reads a query string or an urlencoded form into an object of strings, nested by brackets in the
/// way of Plug: `a[b]=c` is
/// `{"a": {"b": "c"}}`, `a[]=x&a[]=y` is `{"a": ["x", "y"]}`, `a[][b]=x` appends an object per
/// pair. A key without `=` has the value ""; of equal keys the last wins; malformed brackets are
/// part of the key. A key that is used both as a value and as a container is `invalid` with code
/// `conflicting_parameter`; ill-formed UTF-8 or percent encoding is `invalid`.
Result<Json> parse_query(std::string_view query, QueryLimits limits = {});

/// The reverse: objects and arrays become brackets; booleans, numbers and null (as "") become text.
std::string encode_query(const Json& parameters);

}  // namespace bennu::net
