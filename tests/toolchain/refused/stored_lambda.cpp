// expect: -Wdangling
#include "bennu/runtime/task.hpp"

// The captures live in the lambda, which is gone before its coroutine runs.
bennu::Task<int> wrong(int value) {
    auto task = [value]() -> bennu::Task<int> { co_return value; }();
    co_return co_await task;
}
