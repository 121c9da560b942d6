// expect: -Wunused-result
#include "bennu/runtime/task.hpp"

bennu::Task<int> save();

// A task that nobody awaits never runs.
bennu::Task<> wrong() {
    save();
    co_return;
}
