#pragma once

#include "bennu/net/http_connection.hpp"
#include "bennu/net/pace.hpp"
#include "bennu/net/wait_list.hpp"

namespace bennu::net {

/// A request on its way in.
struct HttpConnection::Incoming {
    RequestHead head;
    std::string body;
    Instant received;
    Instant body_started;
    bool streamed = false;
    std::unique_ptr<Headers> trailers;
};

/// Coroutines of the connection's process that wait for its socket.
struct HttpConnection::Waiting {
    WaitList readers;
    WaitList writers;
    WaitList enders;  ///< want to know when the answer should come to its end
    bool hung_up = false;
    bool flush_due = false;
};

/// The body of the request that is being answered, read on demand. The request may outlive its turn
/// on the connection; then this says `closed`.
class HttpConnection::Upload final : public BodySource {
  public:
    Upload(HttpConnection& connection, const RequestHead& head)
        : connection_(&connection),
          left_(head.content_length),
          expects_continue_(head.expect_continue) {}

    Task<Piece> next() override;
    const Headers& trailers() const override;
    /// The answer was written: whoever still holds the reader gets nothing any more.
    void end() { connection_ = nullptr; }
    /// Whether dropping the unread rest may be worth it.
    bool may_skip(std::uint64_t cap) const {
        return done_ || (!error_ && !expects_continue_ && left_.value_or(0) <= cap);
    }

  private:
    friend HttpConnection;
    HttpConnection* connection_;
    std::optional<std::uint64_t> left_;  ///< of a body whose length was announced
    std::optional<Error> error_;
    std::unique_ptr<Headers> trailers_;
    Pace pace_;
    bool expects_continue_;
    bool done_ = false;
};

/// The body of the answer that is being made.
class HttpConnection::Download final : public BodySink {
  public:
    Download(HttpConnection& connection, bool chunked)
        : connection_(&connection), chunked_(chunked) {}

    Task<Result<>> write(std::string text) override;
    Task<bool> closing(Duration limit) override;
    void end() { connection_ = nullptr; }

  private:
    HttpConnection* connection_;
    bool chunked_;
};

}  // namespace bennu::net
