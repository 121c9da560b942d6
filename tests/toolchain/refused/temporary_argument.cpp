// expect: -Wdangling
#include <string>

#include "bennu/runtime/task.hpp"

bennu::Task<int> length(const std::string& text);

// The task would outlive the temporary that it refers to.
bennu::Task<int> wrong() {
    auto task = length(std::string("gone at the end of this line"));
    co_return co_await task;
}
