#pragma once

#include <string_view>

#include "bennu/net/http1_refusal.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu::net {

/// Takes a complete head apart: from the request line to the empty line, which the caller has
/// already cut into lines that end in CR LF, hold no other control characters and do not begin with
/// white space. That it takes nothing that Beast's parser would refuse, and finds the same fields,
/// is checked by `fuzz/http1_fuzz.cpp`.
class Http1HeadReader {
  public:
    /// Fills `out`; returns nullptr, or why the request is refused (`out` is then unspecified).
    static const Http1Refusal* read(std::string_view text, RequestHead& out);

    /// What `read` checks once the head is in its pieces: target, host, framing. `out` holds
    /// method, target and fields; the rest follows from them.
    static const Http1Refusal* check(RequestHead& out);

  private:
    static const Http1Refusal* read_request_line(std::string_view line, RequestHead& out);
    /// The lines from `at` on, up to the empty one.
    static const Http1Refusal* split_fields(std::string_view text, std::size_t at,
                                            RequestHead& out);
    static const Http1Refusal* split_target(RequestHead& out);
    static const Http1Refusal* check_fields(RequestHead& out);
    static const Http1Refusal* check_host(RequestHead& out);
};

}  // namespace bennu::net
