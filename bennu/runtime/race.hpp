#pragma once

#include <stdexcept>
#include <variant>

#include "bennu/runtime/gather.hpp"

namespace bennu {

/// Which task of a race completed first, and its value.
template <typename T>
struct Winner {
    std::size_t index = 0;
    T value;
};
template <>
struct Winner<void> {
    std::size_t index = 0;
};

namespace detail {

template <typename T, typename Frames>
Winner<T> winner_of(JoinFrames<Frames>& join) {
    std::size_t index = join.join.winner();
    if constexpr (std::is_void_v<T>) {
        return {index};
    } else {
        return {index, result_of<T>(join.frames[index])};
    }
}

}  // namespace detail

/// `auto first = co_await race(a(), b())` runs the tasks at once, within the calling process; the
/// first to complete wins, the others are destroyed before the caller goes on. Of tasks that could
/// complete in the same turn, the one whose answer came first wins. An error is an outcome and wins
/// too; a fault destroys the other tasks and is the caller's fault.
template <typename T, typename... Same>
    requires(std::same_as<T, Same> && ...)
Task<Winner<T>> race(Task<T> first, Task<Same>... others) {
    detail::JoinFrames<std::array<detail::PromiseBase*, 1 + sizeof...(Same)>> join(
        detail::Join::Until::first, {&first.release().promise(), &others.release().promise()...});
    co_await join;
    co_return detail::winner_of<T>(join);
}

/// Tasks of different types: `value` is a variant whose alternative number is `index`.
template <typename... T>
    requires(sizeof...(T) > 1)
Task<Winner<std::variant<detail::Gathered<T>...>>> race(Task<T>... tasks) {
    using Value = std::variant<detail::Gathered<T>...>;
    detail::JoinFrames<std::array<detail::PromiseBase*, sizeof...(T)>> join(
        detail::Join::Until::first, {&tasks.release().promise()...});
    co_await join;
    std::size_t index = join.join.winner();
    std::optional<Value> value;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((I == index
              ? void(value.emplace(std::in_place_index<I>, detail::gathered<T>(join.frames[I])))
              : void()),
         ...);
    }(std::index_sequence_for<T...>());
    co_return Winner<Value>{index, std::move(*value)};
}

/// Any number of tasks of one type. None at all is a fault: nothing could ever win.
template <typename T>
Task<Winner<T>> race(std::vector<Task<T>> tasks) {
    if (tasks.empty()) throw std::logic_error("a race needs at least one task");
    detail::JoinFrames<std::vector<detail::PromiseBase*>> join(detail::Join::Until::first,
                                                               detail::release_all(tasks));
    co_await join;
    co_return detail::winner_of<T>(join);
}

}  // namespace bennu
