#pragma once

#include <mutex>
#include <string>

#include "bennu/net/client/client_message.hpp"
#include "bennu/runtime/answer.hpp"

namespace bennu::net {

/// What the shard and the thread of one streamed transfer hand to each other: the head of the
/// answer, pieces of its body, pieces of an upload. Bounded both ways.
class CurlFlow {
  public:
    explicit CurlFlow(std::size_t most) : most_(most) {}

    // --- The thread ---------------------------------------------------------------------------

    /// Takes a piece of the body; false when there is no room until the shard has read some.
    bool put(std::string_view piece);
    /// The head, or the whole answer, or why there is none. The first one counts.
    void answer(Result<ClientResponse> answer);
    /// The body is over, and so is the transfer.
    void end(std::optional<Error> error);
    enum class Fill : std::uint8_t { some, wait, over };
    /// Moves up to `room` bytes of the upload to `to`.
    Fill fill(char* to, std::size_t room, std::size_t& count);

    // --- The shard ----------------------------------------------------------------------------

    std::optional<Result<ClientResponse>> take_answer();
    /// Whether the thread has sent what it was given of the upload.
    bool wants_upload();
    void give(std::string piece);
    void upload_ended();
    struct Piece {
        std::string text;
        bool resume = false;  ///< the thread stopped for want of room
        bool over = false;
        std::optional<Error> error = {};
    };
    /// Everything that has come.
    Piece take();

    /// `co_await CurlFlow::News(flow, deadline)`: until the thread has done something that nobody
    /// looked at, or the time is up.
    class [[nodiscard]] News : detail::Answer<detail::Unit> {
      public:
        News(CurlFlow& flow, Instant deadline) : flow_(flow), deadline_(deadline) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> coroutine) {
            const detail::ReplyTo key = begin(coroutine, deadline_);
            if (!flow_.wait(key)) detail::send_reply(key, detail::Unit{});
        }
        void await_resume() { release(); }

      private:
        CurlFlow& flow_;
        Instant deadline_;
    };

  private:
    bool wait(detail::ReplyTo to);
    /// Unlocks, and wakes the shard if it waits.
    void tell(std::unique_lock<std::mutex> lock);

    const std::size_t most_;
    std::mutex mutex_;
    detail::ReplyTo waiter_;
    bool news_ = false;
    std::optional<Result<ClientResponse>> answer_;
    bool answered_ = false;
    std::string body_;
    bool stopped_ = false, over_ = false;
    std::optional<Error> error_;
    std::string upload_;
    std::size_t sent_ = 0;  ///< of `upload_`
    bool upload_wanted_ = false, upload_over_ = false;
};

}  // namespace bennu::net
