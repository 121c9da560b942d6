#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/time.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu::net {

/// What gives a body piece by piece.
class PieceSource {
  public:
    PieceSource() = default;
    PieceSource(const PieceSource&) = delete;
    PieceSource& operator=(const PieceSource&) = delete;
    virtual ~PieceSource() = default;
    /// The next piece, never empty; nothing at the end. One at a time. A task that is destroyed
    /// loses no piece.
    virtual Task<Result<std::optional<std::string>>> next() = 0;
};

/// A source that is a function.
using NextPiece = Function<Task<Result<std::optional<std::string>>>()>;
std::unique_ptr<PieceSource> piece_source(NextPiece next);
/// A source of text that is there already.
std::unique_ptr<PieceSource> text_source(std::string text);

struct BodyLimits {
    /// Longest wait for a piece while somebody reads.
    Duration idle = Duration::max();
    /// When the last piece must have come.
    Instant deadline = Instant::max();
    /// Bytes of the whole body.
    std::uint64_t most = UINT64_MAX;
};

/// How a body came to its end. Neither complete nor with an error: nobody wanted the rest.
struct BodyEnd {
    std::uint64_t bytes = 0;
    bool complete = false;
    std::optional<Error> error = {};
};

/// The body of an answer as it arrives. The server is slowed down to the pace of whoever reads;
/// what has come and was not read yet is bounded by the transport. When the last copy goes, the
/// transfer is cancelled. Belongs to the shard that asked.
class ClientBody {
  public:
    ClientBody() = default;
    explicit ClientBody(std::unique_ptr<PieceSource> source, BodyLimits limits = {});

    /// The next piece, never empty; nothing at the end. Errors, which stay: `timeout` (with code
    /// `idle_timeout` when nothing came for too long), `too_large` over the limit, `closed` when
    /// the connection broke. The time that the caller has left counts. One reader at a time.
    Task<Result<std::optional<std::string>>> next();
    /// Everything that is left; `too_large` over `limit` bytes.
    Task<Result<std::string>> rest(std::uint64_t limit);
    /// Whether there is a stream at all.
    explicit operator bool() const { return state_ != nullptr; }

    // For steps and transports.

    /// Narrows the limits.
    void limit(const BodyLimits& limits);
    /// Runs once when the body has ended, however it did; not while a piece is awaited.
    void at_end(Function<void(const BodyEnd&)> hook);
    /// Puts a source between the one that is there and the reader.
    void wrap(Function<std::unique_ptr<PieceSource>(std::unique_ptr<PieceSource>)> around);

  private:
    struct State;
    static Task<Result<std::optional<std::string>>> read(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace bennu::net
