#pragma once

#include <memory>

#include "bennu/runtime/offload.hpp"

namespace bennu {

/// An executor of real threads.
std::unique_ptr<Executor> make_thread_executor(ExecutorOptions options);

}  // namespace bennu
