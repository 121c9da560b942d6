#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "bennu/net/http1_limits.hpp"
#include "bennu/net/http1_refusal.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu::net {

/// Makes the head of a request of the fields of an HTTP/2 header block, which come one by one and
/// whose order nghttp2 has checked (pseudo fields first, each once, no field of a connection). What
/// it lets through passes the same checks as a head of HTTP/1.1, so a request means the same
/// however it came: the authority becomes the Host field, the pieces of the cookie one field, a
/// body of unannounced length counts as chunked, and an extended CONNECT for a WebSocket the GET
/// that it stands for.
class Http2HeadBuilder {
  public:
    /// Points to `limits`.
    explicit Http2HeadBuilder(const Http1Limits& limits) : limits_(&limits) {}

    void add(std::string_view name, std::string_view value);
    /// After the last field. Fills `out` and returns nullptr, or why the request is refused.
    const Http1Refusal* finish(bool body_follows, RequestHead& out);
    /// Of all fields, as RFC 9113 counts them: 32 more for each.
    std::uint64_t size() const { return size_; }
    /// What is known of a head that is refused; the path is without its query.
    std::string_view method() const { return head_.method_text(); }
    std::string_view path() const {
        return head_.target().substr(0, std::min(head_.target().find('?'), most_shown));
    }

  private:
    static constexpr std::size_t most_shown = 200;

    void add_pseudo(std::string_view name, std::string_view value);
    const Http1Refusal* read_connect(bool body_follows);
    void append(std::string_view name, std::string_view value);
    TextSlice keep(std::string_view text);

    const Http1Limits* limits_;
    RequestHead head_;
    std::string cookie_;
    std::uint64_t size_ = 0;
    bool authority_ = false;
    bool protocol_ = false;
    const Http1Refusal* refusal_ = nullptr;
};

/// The fields after a body, those that mean something there (`may_trail`). All are dropped when one
/// is malformed, or together they are too large.
class Http2Trailers {
  public:
    /// Points to `limits`.
    explicit Http2Trailers(const Http1Limits& limits) : limits_(&limits) {}

    void add(std::string_view name, std::string_view value);
    /// Bytes of all of them, the dropped ones too.
    std::uint64_t size() const { return size_; }
    /// Null when there are none.
    std::unique_ptr<Headers> take() { return std::move(fields_); }

  private:
    const Http1Limits* limits_;
    std::unique_ptr<Headers> fields_;
    std::uint64_t size_ = 0;
    bool dropped_ = false;
};

/// Fields of answers that HTTP/2 forbids, or that come from the connection alone.
bool not_in_http2(std::string_view name);

}  // namespace bennu::net
