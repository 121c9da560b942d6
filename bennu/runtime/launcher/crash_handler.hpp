#pragma once

namespace bennu {

/// Makes SEGV, BUS, ABRT, FPE and ILL write what is known (signal, build, thread, running process,
/// what it works on, the coroutines that wait for it, stack) to `report_fd` before they end the
/// process as usual. Call once, before threads start; -1 for standard error.
void install_crash_handler(int report_fd);

/// Gives the calling thread a stack of its own for the handler, so that a stack overflow is
/// reported too.
void prepare_thread_for_crashes();

}  // namespace bennu
