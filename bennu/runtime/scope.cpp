#include "bennu/runtime/scope.hpp"

#include <stdexcept>

#include "bennu/runtime/exit.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu {

using detail::PromiseBase;
using detail::Shard;

void detail::set_parent(Scope& scope, PromiseBase& parent) {
    scope.parent_ = &parent;
}

Scope::~Scope() {
    destroy_all_but(nullptr);
    while (!finished_.empty()) destroy(finished_, finished_.begin());
}

void Scope::run(Task<> task) {
    Shard* shard = Shard::current();
    if (!shard->running()) throw std::logic_error("a scope runs tasks within a process");
    if (parent_ && parent_->depth >= PromiseBase::max_depth)
        throw std::length_error("too many tasks await one another");
    PromiseBase& frame = task.release().promise();
    auto self = tasks_.insert(tasks_.end(), {this, &frame, {}, {}});
    self->self = self;
    frame.parent = parent_;
    if (parent_) frame.depth = static_cast<std::uint16_t>(parent_->depth + 1);
    frame.contains_faults = true;
    frame.complete = &completed;
    frame.reply = reinterpret_cast<std::uintptr_t>(&*self);
    // Not from here: a task that completes or fails at once would do so on top of its own scope's
    // code.
    self->start = shard->waits().add(shard->index(), shard->running(), frame.handle(), &unused_);
    shard->resume_later(*shard->waits().find_waiting(self->start), self->start);
}

Task<> Scope::join() {
    while (!tasks_.empty()) co_await empty_.wait();
}

std::coroutine_handle<> Scope::completed(PromiseBase& task) {
    auto* entry = reinterpret_cast<Entry*>(static_cast<std::uintptr_t>(task.reply));
    Scope& scope = *entry->scope;
    while (!scope.finished_.empty()) destroy(scope.finished_, scope.finished_.begin());
    scope.finished_.splice(scope.finished_.end(), scope.tasks_, entry->self);
    if (!task.fault) {
        if (scope.tasks_.empty()) scope.empty_.notify();
        return std::noop_coroutine();
    }
    if (!scope.parent_) {
        Shard* shard = Shard::current();
        if (detail::Process* process = shard->find(shard->running()))
            shard->exit(*process, ExitReason::from_fault(*task.fault));
        return std::noop_coroutine();
    }
    scope.parent_->fault = std::move(task.fault);
    scope.destroy_all_but(nullptr);
    return PromiseBase::propagate_fault(*scope.parent_);
}

void Scope::cancel(PromiseBase& caller) {
    const Entry* asks = nullptr;
    for (PromiseBase* frame = &caller; frame && !asks; frame = frame->parent) {
        if (frame->complete != &completed) continue;
        auto* entry = reinterpret_cast<Entry*>(static_cast<std::uintptr_t>(frame->reply));
        if (entry->scope == this) asks = entry;
    }
    destroy_all_but(asks);
    if (tasks_.empty()) empty_.notify();
}

void Scope::destroy_all_but(const Entry* kept) noexcept {
    // From the end each time: the destructors that run here may touch the scope.
    while (!tasks_.empty()) {
        auto last = std::prev(tasks_.end());
        if (&*last == kept) {
            if (last == tasks_.begin()) return;
            --last;
        }
        destroy(tasks_, last);
    }
}

void Scope::destroy(std::list<Entry>& from, std::list<Entry>::iterator entry) noexcept {
    std::list<Entry> out;
    out.splice(out.end(), from, entry);
    Shard::current()->waits().remove(entry->start);
    entry->frame->handle().destroy();
}

}  // namespace bennu
