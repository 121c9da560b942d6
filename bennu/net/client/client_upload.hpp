#pragma once

#include "bennu/net/client/client_body.hpp"

namespace bennu::net {

/// A body that is made while it is sent: a handle, copied with its request. The pieces are asked
/// for as fast as the server takes them, one at a time, by the task that waits for the answer.
class ClientUpload {
  public:
    /// None.
    ClientUpload() = default;
    /// Begins anew for each attempt.
    explicit ClientUpload(Function<std::unique_ptr<PieceSource>() const> begin,
                          std::optional<std::uint64_t> length);
    explicit operator bool() const { return state_ != nullptr; }

    /// Of the whole body, when it is known: `Content-Length`. Else it travels in chunks.
    std::optional<std::uint64_t> length() const;
    /// Whether it was not begun yet, or can begin again.
    bool may_begin() const;
    /// The pieces, from the first one. Errors besides those of the body: `invalid`, with code
    /// `upload_used` when it cannot begin again, or `upload_length` when it gives more or less than
    /// was said.
    std::unique_ptr<PieceSource> begin() const;
    /// The same upload with another source around its own; its length is then unknown.
    ClientUpload through(
        Function<std::unique_ptr<PieceSource>(std::unique_ptr<PieceSource>) const> around) const;
    /// All of it as text; `too_large` over `limit` bytes.
    Task<Result<std::string>> gather(std::uint64_t limit) const;

  private:
    friend ClientUpload upload_pieces(NextPiece next, std::optional<std::uint64_t> length);
    struct State;
    std::shared_ptr<State> state_;
};

/// A body that `next` gives, piece by piece, and that ends with nothing. It can be sent once: after
/// it was begun, nothing repeats the request.
ClientUpload upload_pieces(NextPiece next, std::optional<std::uint64_t> length = {});
/// What another server answers.
ClientUpload upload_stream(ClientBody body, std::optional<std::uint64_t> length = {});
/// A file, read in pieces off the shard; can be sent again. Errors as those of OpenFile.
Task<Result<ClientUpload>> upload_file(std::string path);

}  // namespace bennu::net
