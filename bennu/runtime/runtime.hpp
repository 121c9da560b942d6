#pragma once

#include <functional>
#include <memory>

#include "bennu/base/function.hpp"
#include "bennu/base/result.hpp"
#include "bennu/runtime/insight/stall.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu {

struct RuntimeOptions {
    unsigned shards = 0;  ///< 0: one per core
    /// SIGINT and SIGTERM stop the runtime politely; a second one ends it at once.
    bool handle_signals = true;
    /// How long polite stopping may take, from the signal on.
    std::chrono::nanoseconds shutdown_grace = std::chrono::seconds(20);
    StallOptions stalls;
};

/// Runs `main` as the first process of shard 0, on this thread, with one more thread for each
/// further shard. When `main` has completed, what it supervises (everything it is linked with) is
/// stopped as a supervisor stops its children: the newest first, politely, within `shutdown_grace`
/// each. Returns when every process has ended: 0, or 1 when main returned an error or faulted (it
/// is logged).
int run(RuntimeOptions options, Function<Task<Result<>>()> main);

/// From any process: stops the runtime as a signal would.
void request_stop();
/// Suspends until the runtime is asked to stop: what `main` awaits after it has started everything.
Task<> stop_requested();

}  // namespace bennu
