#include "bennu/net/client/client_body.hpp"

#include "bennu/runtime/within.hpp"

namespace bennu::net {

namespace {

class FunctionSource : public PieceSource {
  public:
    explicit FunctionSource(NextPiece next) : next_(std::move(next)) {}
    [[clang::coro_wrapper]] Task<Result<std::optional<std::string>>> next() override {
        return next_();
    }

  private:
    NextPiece next_;
};

class TextSource : public PieceSource {
  public:
    explicit TextSource(std::string text) : text_(std::move(text)) {}
    Task<Result<std::optional<std::string>>> next() override {
        if (text_.empty()) co_return std::optional<std::string>();
        co_return std::optional<std::string>(std::exchange(text_, {}));
    }

  private:
    std::string text_;
};

}  // namespace

std::unique_ptr<PieceSource> piece_source(NextPiece next) {
    return std::make_unique<FunctionSource>(std::move(next));
}

std::unique_ptr<PieceSource> text_source(std::string text) {
    return std::make_unique<TextSource>(std::move(text));
}

struct ClientBody::State {
    std::unique_ptr<PieceSource> source;  ///< null once the body has ended
    BodyLimits limits;
    std::uint64_t bytes = 0;
    std::optional<Error> failure;
    std::vector<Function<void(const BodyEnd&)>> hooks;

    ~State() { end({}); }
    /// The transfer goes first: who is told may begin the next one.
    void end(BodyEnd how) {
        source.reset();
        how.bytes = bytes;
        for (auto& hook : std::exchange(hooks, {})) hook(how);
    }
    Error fail(Error error) {
        failure = error;
        end({.error = error});
        return error;
    }
};

ClientBody::ClientBody(std::unique_ptr<PieceSource> source, BodyLimits limits)
    : state_(std::make_shared<State>()) {
    state_->source = std::move(source);
    state_->limits = limits;
}

Task<Result<std::optional<std::string>>> ClientBody::read(std::shared_ptr<State> state) {
    if (!state || (!state->source && !state->failure)) co_return std::optional<std::string>();
    if (state->failure) co_return *state->failure;
    const BodyLimits& limits = state->limits;
    Duration left = time_left();
    if (limits.deadline != Instant::max()) left = std::min(left, limits.deadline - now());
    if (left <= Duration::zero())
        co_return state->fail(Error(ErrorKind::timeout, "timeout", "the time is up"));
    const Instant begun = now();
    Result<std::optional<std::string>> piece =
        co_await within(state->source->next(), std::min(left, limits.idle));
    if (!piece) {
        const bool idle = piece.error().kind() == ErrorKind::timeout && limits.idle < left &&
                          now() - begun >= limits.idle;
        if (idle)
            co_return state->fail(
                Error(ErrorKind::timeout, "idle_timeout", "the server sends nothing any more"));
        co_return state->fail(std::move(piece).error());
    }
    if (!*piece) {
        state->end({.complete = true});
        co_return piece;
    }
    state->bytes += (*piece)->size();
    if (state->bytes > limits.most)
        co_return state->fail(Error(ErrorKind::too_large, "body_too_large",
                                    "the answer is longer than was asked for"));
    co_return piece;
}

[[clang::coro_wrapper]] Task<Result<std::optional<std::string>>> ClientBody::next() {
    return read(state_);
}

Task<Result<std::string>> ClientBody::rest(std::uint64_t limit) {
    ClientBody body = *this;
    std::string all;
    while (true) {
        std::optional<std::string> piece = co_await require(read(body.state_));
        if (!piece) co_return all;
        if (all.size() + piece->size() > limit)
            co_return body.state_->fail(Error(ErrorKind::too_large, "body_too_large",
                                              "the answer is longer than was asked for"));
        all += *piece;
    }
}

void ClientBody::limit(const BodyLimits& limits) {
    if (!state_) return;
    BodyLimits& own = state_->limits;
    own.idle = std::min(own.idle, limits.idle);
    own.deadline = std::min(own.deadline, limits.deadline);
    own.most = std::min(own.most, limits.most);
}

void ClientBody::at_end(Function<void(const BodyEnd&)> hook) {
    if (state_) state_->hooks.push_back(std::move(hook));
}

void ClientBody::wrap(Function<std::unique_ptr<PieceSource>(std::unique_ptr<PieceSource>)> around) {
    if (state_ && state_->source) state_->source = around(std::move(state_->source));
}

}  // namespace bennu::net
