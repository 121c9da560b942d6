#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bennu/net/http1_chunked.hpp"
#include "bennu/net/http1_limits.hpp"
#include "bennu/net/http1_refusal.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu::net {

struct Http1Event {
    enum class Kind : std::uint8_t {
        need_more,  ///< read more bytes and call again
        head,   ///< the head was filled in; decide on `body_limit`, `100 Continue` and upgrades now
        body,   ///< `body` holds the next bytes of the body, a view into the input
        done,   ///< the message ended; the next call reads the next request
        error,  ///< answer `refusal->status`, then close: the stream cannot be trusted any more
    };

    Kind kind = Kind::need_more;
    std::size_t consumed = 0;  ///< how many bytes at the front of the input are used up
    std::string_view body;
    const Http1Refusal* refusal = nullptr;  ///< static, never freed
};

/// Reads HTTP/1.0 and 1.1 requests from bytes, with every smuggling vector refused. Holds no buffer
/// and allocates nothing but for trailers: 80 bytes that may live and die with each request or stay
/// in the connection.
///
/// Call `next` with all bytes that were received and not yet consumed. Discard `consumed` bytes,
/// act on the event, call again until `need_more`. A head is consumed in one piece, once it is
/// complete: until then it stays in the caller's buffer (at most `request_line + header_bytes` plus
/// a few bytes), and what was looked at is not looked at again. Leaves pipelined requests in the
/// input. Any splitting of the bytes gives the same events.
class Http1Parser {
  public:
    explicit Http1Parser(const Http1Limits& limits = Http1Limits::defaults());

    /// `head` is written when the event is `head`, and its memory is reused.
    Http1Event next(std::string_view input, RequestHead& head);

    /// Between `head` and the following call: this request's own limit. A body over it is refused
    /// with 413 by the following call, before any of it is read.
    void body_limit(std::uint64_t bytes) { body_limit_ = bytes; }

    /// The trailer fields of the message whose `done` was the last event; null when it had none. A
    /// field that frames or routes a message is not among them.
    std::unique_ptr<Headers> take_trailers();

    /// No byte of a request has been consumed or seen: an end of stream now is a clean one, and the
    /// parser may be destroyed and recreated later.
    bool idle() const { return state_ == State::start && scanned_ == 0; }

  private:
    enum class State : std::uint8_t { start, head, body_start, sized, chunked, done, failed };

    Http1Event read_head(std::string_view input, RequestHead& head);
    Http1Event read_sized(std::string_view input);
    Http1Event read_chunked(std::string_view input);
    Http1Event fail(const Http1Refusal& refusal);
    void begin();

    const Http1Limits* limits_;
    const Http1Refusal* refusal_ = nullptr;
    std::uint64_t body_limit_;
    std::uint64_t remaining_ = 0;
    ChunkedDecoder chunks_;
    std::uint32_t scanned_ = 0;
    std::uint32_t line_start_ = 0;
    std::uint32_t fields_start_ = 0;
    std::uint16_t lines_ = 0;
    State state_ = State::start;
    bool chunked_ = false;
};

}  // namespace bennu::net
