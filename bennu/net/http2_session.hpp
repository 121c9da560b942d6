#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/shared.hpp"
#include "bennu/base/time.hpp"
#include "bennu/net/http1_limits.hpp"
#include "bennu/net/http1_refusal.hpp"
#include "bennu/net/http2_limits.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu::net {

/// Names a stream within its connection.
using Http2StreamId = std::int32_t;

/// Error codes of RFC 9113 that this side uses.
enum class Http2Code : std::uint32_t {
    no_error = 0x0,
    internal_error = 0x2,
    refused_stream = 0x7,
    cancel = 0x8,
    enhance_your_calm = 0xb,
    http_1_1_required = 0xd,
};

/// What a session tells its owner, from within `receive` and `pull`. The owner may answer at once
/// (respond, write, end, reset), but not receive or pull.
class Http2Events {
  public:
    /// A request's head passed every check. `head.has_body()` says whether a body is to come.
    virtual void request(Http2StreamId stream, RequestHead head) = 0;
    /// A head did not; `method` and `path` are what is known of it.
    struct Refused {
        Http2StreamId stream;
        const Http1Refusal& refusal;
        std::string_view method, path;
    };
    virtual void refused(const Refused& refused) = 0;
    /// A piece of a body, valid during the call. The owner says `consumed` when it wants more.
    virtual void body(Http2StreamId stream, std::string_view bytes) = 0;
    virtual void body_ended(Http2StreamId stream, std::unique_ptr<Headers> trailers) = 0;
    /// Something of an answer was taken; less of it is `unsent` now.
    virtual void sent(Http2StreamId stream) = 0;
    /// The stream is gone: finished, or reset by one of both sides.
    virtual void closed(Http2StreamId stream) = 0;

  protected:
    ~Http2Events() = default;
};

struct Http2SessionState;

/// The server's side of one HTTP/2 connection, between bytes and bytes: it knows no socket and no
/// clock. Enforces the protocol, the limits and the flow control. Belongs to one process.
class Http2Session {
  public:
    /// Points to all of them.
    Http2Session(const Http2Limits& limits, const Http1Limits& head_limits, Http2Events& events);
    ~Http2Session();
    Http2Session(const Http2Session&) = delete;
    Http2Session& operator=(const Http2Session&) = delete;

    /// Takes what came from the client. False when the connection has to end: `pull` then yields
    /// why.
    bool receive(std::string_view bytes, Instant now);
    /// The next bytes for the client, valid until the next call of any method; empty: none now.
    std::string_view pull(Instant now);
    /// Nothing will be received or sent any more.
    bool over() const;
    /// The client's settings have come: it speaks the protocol.
    bool begun() const;
    /// Requests that are not answered to their end.
    std::size_t open_streams() const;

    struct Answer {
        std::optional<std::uint64_t> length;  ///< of the body, when it is known
        std::string_view date;
        /// `tunnel`: follows, and the client's side stays open beside it until the owner ends both.
        enum class Body : std::uint8_t { none, follows, tunnel } body = Body::follows;
    };
    /// The head of an answer. Fields that only HTTP/1 has are left out; Content-Length and Date
    /// come from `answer` alone. This and the next do nothing for a stream that is gone.
    void respond(Http2StreamId stream, int status, const Headers& headers, const Answer& answer);
    void write(Http2StreamId stream, std::string text);
    /// All of the body, sent from where it lies.
    void write(Http2StreamId stream, Shared<std::string> text);
    /// With fields that follow the body, if there are any.
    void end(Http2StreamId stream, const Headers* trailers = nullptr);
    void send_continue(Http2StreamId stream);
    /// An interim response (1xx), before `respond`. Left out for a client that does not take what
    /// it is sent: nobody depends on one.
    void inform(Http2StreamId stream, int status, const Headers& headers);
    void reset(Http2StreamId stream, Http2Code code);
    /// So many bytes of a body were read: the client may send as many more.
    void consumed(Http2StreamId stream, std::size_t bytes);
    /// What `write` was given and the client's windows have not let through.
    std::size_t unsent(Http2StreamId stream) const;
    /// Answers of which nothing was taken for so long, counted from the first look at them.
    std::vector<Http2StreamId> stalled(Instant now, Duration patience);

    /// Tells the client to open no more streams, first without refusing those on their way.
    void announce_end();
    void refuse_new_streams();
    /// Ends the connection at once.
    void terminate(Http2Code code);

  private:
    std::unique_ptr<Http2SessionState> state_;
};

}  // namespace bennu::net
