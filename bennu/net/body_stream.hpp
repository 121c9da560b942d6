#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/function.hpp"
#include "bennu/base/time.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu::net {

/// How the body of a request is to come, decided from its head.
struct BodyPlan {
    enum class Delivery : std::uint8_t {
        gathered,  ///< the handler finds the whole text
        streamed,  ///< the handler reads it piece by piece
        /// The handler finds the whole text if that has come along with the head; else a reader,
        /// with `rest` of which it gathers the text once it has decided to: a request that it
        /// refuses before costs no transfer.
        deferred,
        refused,  ///< the handler has enough to do: 503 before the body is read
    };
    std::uint64_t limit = 0;  ///< over: 413, or an error `too_large` in the middle of a stream
    Delivery delivery = Delivery::gathered;
};

/// What a connection gives to a BodyReader. Counted by its references, all of one shard.
class BodySource {
  public:
    BodySource() = default;
    BodySource(const BodySource&) = delete;
    BodySource& operator=(const BodySource&) = delete;
    virtual ~BodySource() = default;
    virtual Task<Result<std::optional<std::string>>> next() = 0;
    virtual const Headers& trailers() const = 0;

  private:
    template <typename T>
    friend class BodyRef;
    std::uint32_t references_ = 0;
};

/// One reference, in one word: every request carries room for it.
template <typename T>
class BodyRef {
  public:
    BodyRef() = default;
    explicit BodyRef(T* source) : source_(source) {
        if (source_) ++source_->references_;
    }
    template <typename... A>
    static BodyRef make(A&&... args) {
        return BodyRef(new T(std::forward<A>(args)...));
    }
    BodyRef(const BodyRef& other) : BodyRef(other.source_) {}
    BodyRef(BodyRef&& other) noexcept : source_(std::exchange(other.source_, nullptr)) {}
    BodyRef& operator=(BodyRef other) noexcept {
        std::swap(source_, other.source_);
        return *this;
    }
    ~BodyRef() {
        if (source_ && --source_->references_ == 0) delete source_;
    }
    T* operator->() const { return source_; }
    T& operator*() const { return *source_; }
    T* get() const { return source_; }
    explicit operator bool() const { return source_ != nullptr; }

  private:
    T* source_ = nullptr;
};

/// The body of a request as it arrives. The connection reads from its socket only while `next` is
/// awaited, so a slow reader slows its client down. What is left unread at the end of the request
/// is skipped, or the connection closes. Belongs to the process of its request.
class BodyReader {
  public:
    BodyReader() = default;
    explicit BodyReader(BodySource* source) : source_(source) {}

    /// The next piece (never empty); nothing at the end. Errors, which stay: `timeout` when the
    /// client is too slow, `too_large` over the limit, `invalid` for malformed chunks, `closed`
    /// when the client went away. One reader at a time.
    Task<Result<std::optional<std::string>>> next();
    /// Everything that is left; `too_large` over `limit` bytes.
    Task<Result<std::string>> rest(std::uint64_t limit);
    /// The fields after a chunked body, once `next` has yielded its end. They are never merged into
    /// the head; trust them no more than any other input.
    const Headers& trailers() const;
    /// Whether there is a stream at all.
    explicit operator bool() const { return static_cast<bool>(source_); }

  private:
    BodyRef<BodySource> source_;
};

/// Where a BodyWriter puts its text.
class BodySink {
  public:
    BodySink() = default;
    /// `announced` is the response's `Trailer` field.
    explicit BodySink(std::string_view announced);
    virtual ~BodySink() = default;
    virtual Task<Result<>> write(std::string text) = 0;
    virtual Task<bool> closing(Duration limit) = 0;
    void trailer(std::string_view name, std::string_view value);
    /// What is to follow the body; null: nothing.
    const Headers* trailers() const;

  private:
    struct Trailers {
        Headers announced;
        Headers fields;
    };
    std::unique_ptr<Trailers> trailers_;  ///< null: none were announced
};

/// The body of a response while it is made. Copies write to the same response.
class BodyWriter {
  public:
    explicit BodyWriter(std::shared_ptr<BodySink> sink) : sink_(std::move(sink)) {}

    /// Sends text, gathered with what else is written in this turn of the shard. Waits while too
    /// much is on its way: the client sets the pace. Errors: `closed` when the client is gone,
    /// `timeout` when it does not read.
    Task<Result<>> write(std::string text) const;
    /// Waits until the response should come to its end because the client went away or the server
    /// stops: true. False once `limit` has passed.
    Task<bool> closing(Duration limit) const;
    /// A field that follows the body, such as a checksum of it; the last value of a name counts.
    /// The response's `Trailer` field has to name it. Over HTTP/1.1 it is sent to clients that take
    /// such fields (`TE: trailers`), over HTTP/2 to all; others are told neither. A fault: a name
    /// that was not announced, one that means nothing behind a body (Set-Cookie, Location), text
    /// that is no field.
    void trailer(std::string_view name, std::string_view value) const;

  private:
    std::shared_ptr<BodySink> sink_;
};

/// Makes a body piece by piece:
///
///     response.body = BodyProducer([rows](BodyWriter out) -> Task<Result<>> {
///         for (const Row& row : rows) co_await require(out.write(to_line(row)));
///         co_return {};
///     });
///
/// Runs in the process of its request, after the head was written. An error or a fault ends the
/// connection before the end mark, so that no client takes half an answer for a whole one (HTTP/1.0
/// has no such mark); `closed` ends it silently.
class BodyProducer {
  public:
    using Run = Function<Task<Result<>>(BodyWriter)>;
    explicit BodyProducer(Run run) : run_(std::make_unique<Run>(std::move(run))) {}

    /// Lives as long as this.
    [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] Task<Result<>> run(
        BodyWriter out) const {
        return (*run_)(std::move(out));
    }

  private:
    std::unique_ptr<Run> run_;
};

}  // namespace bennu::net
