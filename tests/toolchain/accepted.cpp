// The right forms of what refused/ gets wrong: they compile with the same flags.
#include <string>

#include "bennu/runtime/task.hpp"

bennu::Task<int> length(const std::string& text);

bennu::Task<int> right(int value) {
    const int first = co_await length(std::string("lives until the await is done"));
    std::string text = "a local of the awaiting coroutine";
    auto task = length(text);
    co_return first + co_await task + co_await [value]() -> bennu::Task<int> { co_return value; }();
}
