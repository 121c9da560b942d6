#pragma once

#include <ranges>
#include <stdexcept>

#include "bennu/runtime/join.hpp"

namespace bennu {

template <typename T>
class Stream;

/// `co_yield end_with(error)` in a stream ends it: `next` yields nothing, `failure` the error.
struct end_with {
    explicit end_with(Error e) : error(std::move(e)) {}
    Error error;
};

namespace detail {

template <typename T>
struct NextItem;

template <typename T>
struct StreamPromise : PromiseBase {
    using value_type = T;
    std::optional<T> item;
    std::optional<Error> failure;
    NextItem<T>* reader = nullptr;
    bool yielded = true;  ///< stands at its start or at a co_yield; else it runs or awaits
    bool over = false;

    StreamPromise() {
        contains_faults = true;
        complete = &completed;
    }
    ~StreamPromise() {
        if (reader) reader->stream = nullptr;
    }
    Stream<T> get_return_object();
    void return_void() noexcept {}

    /// Back to the reader, if one still waits.
    struct Yield {
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<StreamPromise> self) noexcept {
            self.promise().yielded = true;
            return resume_parent(self.promise());
        }
        void await_resume() const noexcept {}
    };
    Yield yield_value(T value) {
        item.emplace(std::move(value));
        return {};
    }
    Yield yield_value(end_with end) {
        failure.emplace(std::move(end.error));
        over = true;
        return {};
    }

    static std::coroutine_handle<> completed(PromiseBase& base) {
        auto& self = static_cast<StreamPromise&>(base);
        self.over = true;
        if (!self.fault) return resume_parent(self);
        if (!self.parent) return std::noop_coroutine();  // kept for the next reader
        PromiseBase& parent = *self.parent;
        parent.fault = std::move(self.fault);
        return propagate_fault(parent);
    }
};

template <typename T>
struct [[nodiscard]] NextItem {
    StreamPromise<T>* stream;
    bool waiting = false;

    explicit NextItem(StreamPromise<T>* s) : stream(s) {}
    NextItem(const NextItem&) = delete;
    NextItem& operator=(const NextItem&) = delete;
    ~NextItem() { leave(); }

    bool await_ready() const noexcept {
        return !stream || stream->item || (stream->over && !stream->fault);
    }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) {
        if (stream->fault) {
            caller.promise().fault = std::move(stream->fault);
            return PromiseBase::propagate_fault(caller.promise());
        }
        if (stream->reader) throw std::logic_error("a stream has one reader at a time");
        waiting = true;
        stream->reader = this;
        stream->parent = &caller.promise();
        if (!std::exchange(stream->yielded, false)) return std::noop_coroutine();
        return caller.promise().start_below(*stream);
    }
    std::optional<T> await_resume() {
        leave();
        return stream ? std::exchange(stream->item, std::nullopt) : std::nullopt;
    }

  private:
    void leave() {
        if (!waiting || !stream) return;
        waiting = false;
        stream->reader = nullptr;
        stream->parent = nullptr;
    }
};

}  // namespace detail

/// A coroutine that yields any number of items, each when it is asked for:
///
///     Stream<int> numbers() { for (int i = 0;; ++i) { co_await sleep(1s); co_yield i; } }
///     auto stream = numbers();
///     while (auto item = co_await stream.next()) use(*item);
///
/// It runs within the process that reads it and may `co_await` anything. Nothing runs before the
/// first `next`. When the reader gives up (`within`, a lost `race`), the work in progress goes on
/// and its item waits for the next reader: none is lost. Destroying the stream cancels it. A fault
/// in it is a fault of its reader. Not to be moved to another process.
template <typename T>
class [[nodiscard, clang::coro_return_type, clang::coro_lifetimebound]] Stream {
  public:
    using promise_type = detail::StreamPromise<T>;
    using value_type = T;

    Stream() = default;
    explicit Stream(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    Stream(Stream&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Stream& operator=(Stream&& other) noexcept {
        if (this != &other) {
            reset();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~Stream() { reset(); }

    explicit operator bool() const { return static_cast<bool>(handle_); }
    /// `co_await stream.next()` yields `std::optional<T>`: nothing once the stream has ended.
    detail::NextItem<T> next() {
        return detail::NextItem<T>(handle_ ? &handle_.promise() : nullptr);
    }
    /// Why it ended, when that was not simply its end.
    std::optional<Error> failure() const {
        return handle_ ? handle_.promise().failure : std::nullopt;
    }

  private:
    void reset() {
        if (handle_) std::exchange(handle_, {}).destroy();
    }

    std::coroutine_handle<promise_type> handle_;
};

template <typename T>
Stream<T> detail::StreamPromise<T>::get_return_object() {
    static_assert(alignof(StreamPromise) <= 2 * sizeof(void*));
    return Stream<T>(std::coroutine_handle<StreamPromise>::from_promise(*this));
}

/// The elements of a range (which the stream keeps), read only as far as the stream is.
template <std::ranges::input_range R>
Stream<std::ranges::range_value_t<R>> stream_of(R range) {
    for (auto&& element : range) co_yield std::move(element);
}

/// Everything that is left, or the error with which the stream ended.
template <typename T>
Task<Result<std::vector<T>>> collect(Stream<T> stream) {
    std::vector<T> items;
    while (std::optional<T> item = co_await stream.next()) items.push_back(std::move(*item));
    if (auto failure = stream.failure()) co_return *std::move(failure);
    co_return items;
}

}  // namespace bennu
