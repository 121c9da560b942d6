#pragma once

#include "bennu/net/http_connection.hpp"
#include "bennu/net/pace.hpp"
#include "bennu/net/wait_list.hpp"

namespace bennu::net {

/// A request on its way in.
struct HttpConnection::Incoming : bennu::detail::Pooled {
    HttpRequest request;
    Instant body_started;
    bool streamed = false;
    bool deferred = false;  ///< streamed, unless it is whole with what is there already
    bool head_read = false;
    bool refused = false;  ///< answered already; only its end is waited for
};

/// Coroutines of the connection's process that wait for its socket.
struct HttpConnection::Waiting {
    WaitList readers;
    WaitList writers;
    WaitList enders;  ///< want to know when the answer should come to its end
    bool flush_due = false;
};

/// The body of the request that is being answered, read on demand. The request may outlive its turn
/// on the connection; then this says `closed`.
class HttpConnection::Upload final : public BodySource {
  public:
    /// `begun` has come along with the head.
    Upload(HttpConnection& connection, const RequestHead& head, std::string begun)
        : connection_(&connection),
          left_(head.content_length),
          begun_(std::move(begun)),
          expects_continue_(head.expect_continue && begun_.empty()) {
        if (left_) *left_ -= begun_.size();
        pace_.moved(begun_.size());
    }

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
    std::string begun_;                  ///< read already, but not by the handler
    std::optional<Error> error_;
    std::unique_ptr<Headers> trailers_;
    Pace pace_;
    std::size_t in_turn_ = 0;  ///< bytes since others had their turn
    bool expects_continue_;
    bool done_ = false;
};

/// Interim responses of the request that is being answered. A handler may hold it for longer.
class HttpConnection::Interim final : public InterimWriter {
  public:
    explicit Interim(HttpConnection& connection) : connection_(&connection) {}
    void write(int status, const Headers& headers) override;
    void end() { connection_ = nullptr; }

  private:
    HttpConnection* connection_;
};

/// The body of the answer that is being made.
class HttpConnection::Download final : public BodySink {
  public:
    Download(HttpConnection& connection, bool chunked, std::string_view announced)
        : BodySink(announced), connection_(&connection), chunked_(chunked) {}

    Task<Result<>> write(std::string text) override;
    Task<bool> closing(Duration limit) override;
    void end() { connection_ = nullptr; }

  private:
    HttpConnection* connection_;
    bool chunked_;
};

}  // namespace bennu::net
