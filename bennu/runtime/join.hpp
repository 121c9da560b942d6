#pragma once

#include <span>

#include "bennu/runtime/task.hpp"

namespace bennu::detail {

/// Throws a fault that was caught earlier again, in the frame that awaits this; the await points it
/// has passed stay in front.
struct Refault {
    std::unique_ptr<Fault> fault;

    bool await_ready() const noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) noexcept {
        frame.promise().fault = std::move(fault);
        return PromiseBase::propagate_fault(frame.promise());
    }
    void await_resume() const noexcept {}
};

/// Several tasks that run at once below one suspended frame: the engine of `gather` and `race`.
/// Owns their frames. Each task is a wall for faults of its own; the first fault destroys the other
/// tasks and goes on from the parent. Only one frame of a process runs at a time, so whenever one
/// task completes, all others are suspended and may be destroyed.
class Join {
  public:
    enum class Until : std::uint8_t { all, first };

    /// `frames` (owned from here on) must outlive the Join and is not changed in size.
    Join(Until until, std::span<PromiseBase*> frames) : frames_(frames), until_(until) {}
    Join(const Join&) = delete;
    Join& operator=(const Join&) = delete;
    ~Join() { destroy_all_but(nullptr); }

    /// Runs every task up to its first suspension; yields what to resume next.
    std::coroutine_handle<> start(PromiseBase& parent);
    /// Which task completed first.
    std::size_t winner() const { return winner_; }

  private:
    static std::coroutine_handle<> completed(PromiseBase& task);
    std::coroutine_handle<> finish();
    void destroy_all_but(PromiseBase* kept) noexcept;

    std::span<PromiseBase*> frames_;
    PromiseBase* parent_ = nullptr;
    PromiseBase* failed_ = nullptr;
    std::size_t left_ = 0;
    std::size_t winner_ = 0;
    Until until_;
    bool starting_ = false;
    bool over_ = false;
};

/// The value of a completed frame that a Join owns.
template <typename T>
decltype(auto) result_of(PromiseBase* frame) {
    return std::move(*static_cast<Promise<T>*>(frame)->result);
}

}  // namespace bennu::detail
