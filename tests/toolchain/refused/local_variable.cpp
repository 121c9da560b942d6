// expect: -Wreturn-stack-address
#include <string>

#include "bennu/runtime/task.hpp"

bennu::Task<int> length(const std::string& text);

// A plain function that hands out a task which refers to its own local.
[[clang::coro_wrapper]] bennu::Task<int> wrong() {
    std::string text = "gone when this returns";
    return length(text);
}
