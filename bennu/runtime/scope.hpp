#pragma once

#include <list>

#include "bennu/runtime/join.hpp"
#include "bennu/runtime/signal.hpp"

namespace bennu {

class Scope;
namespace detail {
void set_parent(Scope& scope, PromiseBase& parent);
}

/// A growing set of tasks that run at once within one process and end with the set: destroying the
/// Scope destroys the tasks that still run, the newest first. Nothing is ever detached.
///
/// As a member of a server (or any other object of a process) it lets handlers start work that goes
/// on between messages; a fault of such a task ends the process. Inside `scoped` a fault destroys
/// the set and goes to whoever awaits `scoped`.
///
/// It belongs to one process. It must not be destroyed by one of its own tasks.
class Scope {
  public:
    Scope() = default;
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

    /// Starts a task; it runs up to its first suspension as soon as the running code has returned
    /// to the scheduler.
    void run(Task<> task);
    std::size_t running() const { return tasks_.size(); }

    /// Waits until no task runs any more; tasks that are added meanwhile count. Not for tasks of
    /// the scope itself: they would wait for themselves.
    Task<> join();

    /// `co_await scope.cancel()` destroys all tasks but the one that asks, without waiting.
    class [[nodiscard]] cancel_others {
      public:
        explicit cancel_others(Scope& scope) : scope_(scope) {}
        bool await_ready() const noexcept { return scope_.tasks_.empty(); }
        template <typename P>
        bool await_suspend(std::coroutine_handle<P> caller) {
            scope_.cancel(caller.promise());
            return false;
        }
        void await_resume() const noexcept {}

      private:
        Scope& scope_;
    };
    cancel_others cancel() { return cancel_others(*this); }

  private:
    friend void detail::set_parent(Scope& scope, detail::PromiseBase& parent);
    struct Entry {
        Scope* scope;
        detail::PromiseBase* frame;
        detail::ReplyTo start;  ///< names the entry of the wait table that starts it
        std::list<Entry>::iterator self;
    };

    static std::coroutine_handle<> completed(detail::PromiseBase& task);
    void cancel(detail::PromiseBase& caller);
    void destroy_all_but(const Entry* kept) noexcept;
    static void destroy(std::list<Entry>& from, std::list<Entry>::iterator entry) noexcept;

    std::list<Entry> tasks_;
    std::list<Entry> finished_;  ///< the last to complete: its frame is still being left
    detail::WaitState unused_;
    detail::Signal empty_;
    detail::PromiseBase* parent_ = nullptr;  ///< awaits the scope; null: the process owns it
};

namespace detail {

/// Makes the awaiting frame the one that gets the faults of a scope's tasks.
struct Adopt {
    Scope& scope;
    bool await_ready() const noexcept { return false; }
    template <typename P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        set_parent(scope, frame.promise());
        return false;
    }
    void await_resume() const noexcept {}
};

template <typename T>
Task<> keep_result(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await task);
}

}  // namespace detail

/// `co_await scoped([&](Scope& scope) -> Task<int> { scope.run(…); … })` runs the body with a scope
/// of its own, waits for everything that it added, and yields the body's value. A fault of the body
/// or of any task destroys them all and is the caller's fault, so that `contain` and the await
/// points in a crash report work as for a plain call.
template <typename Body, typename T = typename std::invoke_result_t<Body&, Scope&>::value_type>
Task<T> scoped(Body body) {
    if constexpr (std::is_void_v<T>) {
        Scope scope;
        co_await detail::Adopt{scope};
        scope.run(body(scope));
        co_await scope.join();
    } else {
        std::optional<T> result;
        Scope scope;
        co_await detail::Adopt{scope};
        scope.run(detail::keep_result(body(scope), result));
        co_await scope.join();
        co_return std::move(*result);
    }
}

}  // namespace bennu
