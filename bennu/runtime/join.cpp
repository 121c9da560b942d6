#include "bennu/runtime/join.hpp"

#include <bit>

namespace bennu::detail {

std::coroutine_handle<> Join::start(PromiseBase& parent) {
    parent_ = &parent;
    left_ = frames_.size();
    if (left_ == 0) return parent.handle();
    for (PromiseBase* frame : frames_) {
        frame->contains_faults = true;
        frame->complete = &completed;
        frame->reply = std::bit_cast<std::uintptr_t>(this);
    }
    // What completes within this loop must not resume the parent below its own suspension.
    starting_ = true;
    for (std::size_t i = 0; i < frames_.size() && !over_; ++i) {
        parent.start_below(*frames_[i]).resume();
        parent.awaited = nullptr;  // which of several that is, nobody could say
    }
    starting_ = false;
    return over_ ? finish() : std::noop_coroutine();
}

std::coroutine_handle<> Join::completed(PromiseBase& task) {
    Join& join = *std::bit_cast<Join*>(static_cast<std::uintptr_t>(task.reply));
    --join.left_;
    if (task.fault) {
        join.failed_ = &task;
        join.over_ = true;
    } else if (join.until_ == Until::first) {
        while (join.frames_[join.winner_] != &task) ++join.winner_;
        join.over_ = true;
    } else {
        join.over_ = join.left_ == 0;
    }
    return join.over_ && !join.starting_ ? join.finish() : std::noop_coroutine();
}

std::coroutine_handle<> Join::finish() {
    PromiseBase& parent = *parent_;
    if (failed_) {
        parent.fault = std::move(failed_->fault);
        destroy_all_but(failed_);
        return PromiseBase::propagate_fault(parent);
    }
    if (until_ == Until::first) destroy_all_but(frames_[winner_]);
    return parent.handle();
}

void Join::destroy_all_but(PromiseBase* kept) noexcept {
    for (std::size_t i = frames_.size(); i-- > 0;) {
        if (frames_[i] && frames_[i] != kept)
            std::exchange(frames_[i], nullptr)->handle().destroy();
    }
}

}  // namespace bennu::detail
