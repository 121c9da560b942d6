#include "bennu/net/client/client_upload.hpp"

#include <atomic>

#include "bennu/net/file_body.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::net {

namespace {

constexpr std::size_t file_piece = 64 << 10;

class FileSource : public PieceSource {
  public:
    explicit FileSource(std::shared_ptr<const OpenFile> file) : file_(std::move(file)) {}
    Task<Result<std::optional<std::string>>> next() override {
        std::string piece = co_await require(
            co_await offload([file = file_, at = at_] { return file->read(at, file_piece); }));
        at_ += piece.size();
        if (piece.empty()) co_return std::optional<std::string>();
        co_return std::optional<std::string>(std::move(piece));
    }

  private:
    std::shared_ptr<const OpenFile> file_;
    std::uint64_t at_ = 0;
};

/// What attempts to send a body that can be sent once have in common.
class SharedSource : public PieceSource {
  public:
    explicit SharedSource(std::shared_ptr<PieceSource> inner) : inner_(std::move(inner)) {}
    [[clang::coro_wrapper]] Task<Result<std::optional<std::string>>> next() override {
        return inner_->next();
    }

  private:
    std::shared_ptr<PieceSource> inner_;
};

}  // namespace

struct ClientUpload::State {
    Function<std::unique_ptr<PieceSource>() const> begin;
    std::optional<std::uint64_t> length;
    bool once = false;
    std::atomic<bool> begun = false;
    std::shared_ptr<State> inner = {};

    /// One attempt. Sees to it that the body is as long as its head said, and is sent once if it
    /// can be sent only once.
    class Attempt;
};

class ClientUpload::State::Attempt : public PieceSource {
  public:
    explicit Attempt(std::shared_ptr<State> state)
        : state_(std::move(state)), inner_(state_->begin()), left_(state_->length) {}

    Task<Result<std::optional<std::string>>> next() override {
        if (!std::exchange(mine_, true) && state_->begun.exchange(true) && state_->once)
            co_return Error(ErrorKind::invalid, "upload_used", "this upload can be sent only once");
        std::optional<std::string> piece = co_await require(inner_->next());
        if (!left_) co_return piece;
        const std::uint64_t size = piece ? piece->size() : 0;
        if (size > *left_ || (!piece && *left_ > 0))
            co_return Error(ErrorKind::invalid, "upload_length",
                            "the upload is not as long as it was said to be");
        *left_ -= size;
        co_return piece;
    }

  private:
    std::shared_ptr<State> state_;
    std::unique_ptr<PieceSource> inner_;
    std::optional<std::uint64_t> left_;
    bool mine_ = false;
};

ClientUpload::ClientUpload(Function<std::unique_ptr<PieceSource>() const> begin,
                           std::optional<std::uint64_t> length)
    : state_(std::make_shared<State>()) {
    state_->begin = std::move(begin);
    state_->length = length;
}

std::optional<std::uint64_t> ClientUpload::length() const {
    return state_ ? state_->length : std::nullopt;
}

bool ClientUpload::may_begin() const {
    if (!state_) return true;
    if (state_->inner) return !state_->inner->once || !state_->inner->begun;
    return !state_->once || !state_->begun;
}

std::unique_ptr<PieceSource> ClientUpload::begin() const {
    return std::make_unique<State::Attempt>(state_);
}

ClientUpload ClientUpload::through(
    Function<std::unique_ptr<PieceSource>(std::unique_ptr<PieceSource>) const> around) const {
    ClientUpload outer(
        [inner = *this, around = std::move(around)] { return around(inner.begin()); }, {});
    // Whether it may begin again is for the inner one to say.
    outer.state_->inner = state_;
    return outer;
}

Task<Result<std::string>> ClientUpload::gather(std::uint64_t limit) const {
    ClientBody body(begin());
    Result<std::string> all = co_await body.rest(limit);
    co_return all;
}

ClientUpload upload_pieces(NextPiece next, std::optional<std::uint64_t> length) {
    std::shared_ptr<PieceSource> only = piece_source(std::move(next));
    ClientUpload upload([only] { return std::make_unique<SharedSource>(only); }, length);
    upload.state_->once = true;
    return upload;
}

ClientUpload upload_stream(ClientBody body, std::optional<std::uint64_t> length) {
    return upload_pieces(
        [body = std::move(body)] [[clang::coro_wrapper]] () mutable { return body.next(); },
        length);
}

Task<Result<ClientUpload>> upload_file(std::string path) {
    std::shared_ptr<const OpenFile> file = co_await require(
        co_await offload([path = std::move(path)] { return OpenFile::open(path); }));
    co_return ClientUpload([file] { return std::make_unique<FileSource>(file); }, file->size());
}

}  // namespace bennu::net
