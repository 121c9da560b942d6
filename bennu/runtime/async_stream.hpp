#pragma once

#include <list>

#include "bennu/runtime/call.hpp"
#include "bennu/runtime/scope.hpp"
#include "bennu/runtime/stream.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu {

/// What an item that takes too long does: it becomes the error `timeout`, or a fault of the reader.
enum class OnTimeout : std::uint8_t { error, fault };

struct AsyncStreamOptions {
    /// How many items are worked on, or done and not yet read, at most.
    std::size_t concurrency = 8;
    /// Outcomes come in the order of the input; else as they are done.
    bool ordered = true;
    Duration timeout = std::chrono::seconds(5);  ///< per item; the work is destroyed then
    OnTimeout on_timeout = OnTimeout::error;
};

namespace detail {

/// One item on its way through an async stream.
template <typename R>
struct AsyncItem {
    std::optional<Outcome<R>> outcome;
    bool late = false;
};

template <typename T>
struct AsyncInput {
    Stream<T> stream;
    std::optional<T> item;
    std::unique_ptr<Fault> fault;
    bool fetching = false;
    bool over = false;
};

template <typename T>
Task<std::optional<T>> next_of(Stream<T>& stream) {
    co_return co_await stream.next();
}

template <typename T>
Task<> fetch(AsyncInput<T>& input, Signal& news) {
    Contained<std::optional<T>> next = co_await contain(next_of(input.stream));
    input.fault = std::move(next.fault);
    if (!input.fault) input.item = *std::move(next.value);
    input.over = !input.item;
    input.fetching = false;
    news.notify();
}

template <typename R>
Task<bool> in_time(Task<R>& task, Instant deadline) {
    co_return co_await TimedTask<R>(task, deadline);
}

template <typename T, typename F, typename R>
Task<> work_on(F& fn, T input, AsyncItem<R>& item, Duration limit, Signal& news) {
    Task<R> task = fn(std::move(input));
    Instant deadline = limit == Duration::max() ? Instant::max() : now() + limit;
    Contained<bool> done = co_await contain(in_time(task, deadline));
    if (!done) {
        item.outcome.emplace(Error(ErrorKind::closed, "crashed", done.fault->describe()));
    } else if (!*done.value) {
        task = Task<R>();
        item.late = true;
        item.outcome.emplace(Error(ErrorKind::timeout, "timeout", "the item took too long"));
    } else if constexpr (std::is_void_v<R>) {
        item.outcome.emplace();
    } else {
        item.outcome.emplace(std::move(*task.handle().promise().result));
    }
    news.notify();
}

}  // namespace detail

/// `fn` (a callable that returns a Task) applied to every item of a stream, several at once, within
/// the calling process. Yields a Result for each: an item whose work faults or takes too long is an
/// error of its own and leaves the others alone. The input is read only as far as there is room,
/// and nothing new is begun while nobody reads. A fault of the input itself is the reader's.
template <typename T, typename F, typename R = typename std::invoke_result_t<F&, T>::value_type>
Stream<detail::Outcome<R>> async_stream(Stream<T> input, F fn, AsyncStreamOptions options = {}) {
    using Item = detail::AsyncItem<R>;
    detail::AsyncInput<T> source{.stream = std::move(input)};
    std::list<Item> items;
    detail::Signal news;
    Scope scope;  // the last: its tasks refer to all of the above
    while (true) {
        if (source.item) {
            scope.run(detail::work_on<T, F, R>(fn, *std::exchange(source.item, std::nullopt),
                                               items.emplace_back(), options.timeout, news));
        }
        if (!source.fetching && !source.over && items.size() < options.concurrency) {
            source.fetching = true;
            scope.run(detail::fetch(source, news));
        }
        auto next = items.begin();
        if (!options.ordered) {
            while (next != items.end() && !next->outcome) ++next;
        }
        if (next != items.end() && next->outcome) {
            Item item = std::move(*next);
            items.erase(next);
            if (item.late && options.on_timeout == OnTimeout::fault)
                throw CallError(std::move(*item.outcome).error());
            co_yield std::move(*item.outcome);
        } else if (!items.empty() || !source.over) {
            co_await news.wait();
        } else if (source.fault) {
            co_await detail::Refault{std::move(source.fault)};
        } else {
            break;
        }
    }
    if (auto failure = source.stream.failure()) co_yield end_with(*std::move(failure));
}

/// The same over a range, which the stream keeps.
template <std::ranges::input_range Range, typename F>
[[clang::coro_wrapper]] auto async_stream(Range range, F fn, AsyncStreamOptions options = {}) {
    return async_stream(stream_of(std::move(range)), std::move(fn), options);
}

}  // namespace bennu
