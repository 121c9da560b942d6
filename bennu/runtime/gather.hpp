#pragma once

#include <array>
#include <tuple>
#include <vector>

#include "bennu/runtime/join.hpp"

namespace bennu {

namespace detail {

struct Nothing {};
/// A task's value as an element of a tuple.
template <typename T>
using Gathered = std::conditional_t<std::is_void_v<T>, Nothing, T>;

template <typename T>
Gathered<T> gathered(PromiseBase* frame) {
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return result_of<T>(frame);
    }
}

/// `co_await` runs the frames of `Frames` (an array or vector) until all, or the first, completed.
template <typename Frames>
struct JoinFrames {
    Frames frames;
    Join join;

    JoinFrames(Join::Until until, Frames all) : frames(std::move(all)), join(until, frames) {}
    bool await_ready() const noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) {
        return join.start(caller.promise());
    }
    JoinFrames& await_resume() noexcept { return *this; }
};

template <typename T>
std::vector<PromiseBase*> release_all(std::vector<Task<T>>& tasks) {
    std::vector<PromiseBase*> frames;
    frames.reserve(tasks.size());
    for (Task<T>& task : tasks) frames.push_back(&task.release().promise());
    return frames;
}

}  // namespace detail

/// `auto [a, b] = co_await gather(first(), second())` runs the tasks at once, within the calling
/// process, and yields their values in order (`detail::Nothing` for a `Task<>`). Errors are values
/// like any other. The first fault destroys the other tasks and is the caller's fault. Destroying
/// the gathering task destroys all of them, the last first.
template <typename... T>
    requires(sizeof...(T) > 0)
Task<std::tuple<detail::Gathered<T>...>> gather(Task<T>... tasks) {
    detail::JoinFrames<std::array<detail::PromiseBase*, sizeof...(T)>> join(
        detail::Join::Until::all, {&tasks.release().promise()...});
    co_await join;
    co_return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple<detail::Gathered<T>...>{detail::gathered<T>(join.frames[I])...};
    }(std::index_sequence_for<T...>());
}

/// The same for any number of tasks of one type; an empty vector yields an empty one at once.
template <typename T>
    requires(!std::is_void_v<T>)
Task<std::vector<T>> gather(std::vector<Task<T>> tasks) {
    detail::JoinFrames<std::vector<detail::PromiseBase*>> join(detail::Join::Until::all,
                                                               detail::release_all(tasks));
    co_await join;
    std::vector<T> values;
    values.reserve(join.frames.size());
    for (detail::PromiseBase* frame : join.frames) values.push_back(detail::result_of<T>(frame));
    co_return values;
}
inline Task<> gather(std::vector<Task<>> tasks) {
    detail::JoinFrames<std::vector<detail::PromiseBase*>> join(detail::Join::Until::all,
                                                               detail::release_all(tasks));
    co_await join;
}

}  // namespace bennu
