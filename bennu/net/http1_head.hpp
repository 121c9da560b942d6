#pragma once

#include <string_view>

#include "bennu/net/http1_refusal.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu::net {

/// Takes a complete head apart: from the request line to the empty line, which the caller has
/// already cut into lines that end in CR LF and hold no control characters. Beast's parser splits
/// it into fields; the checks that Beast lacks are ours.
class Http1HeadReader {
  public:
    /// Fills `out`; returns nullptr, or why the request is refused (`out` is then unspecified).
    static const Http1Refusal* read(std::string_view text, RequestHead& out);

  private:
    struct BeastHead;

    static const Http1Refusal* check_request_line(std::string_view text);
    static const Http1Refusal* split_target(RequestHead& out);
    static const Http1Refusal* check_fields(RequestHead& out);
    static const Http1Refusal* check_host(RequestHead& out);
};

}  // namespace bennu::net
