#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/runtime/pid.hpp"

namespace bennu {

enum class ProcessState : std::uint8_t {
    idle,
    queued,    ///< has messages and waits for its turn
    waiting,   ///< a handler or coroutine of it is suspended
    stopping,  ///< asked to end
};
std::string_view to_string(ProcessState state);

/// One process as it is now.
struct ProcessInfo {
    Pid pid;
    std::string name;
    std::string type;
    ProcessState state = ProcessState::idle;
    std::uint32_t mailbox = 0;
    /// How often its code was entered: messages, resumptions, readiness of sockets. Stops counting
    /// at 2^32 - 1.
    std::uint32_t runs = 0;
    std::size_t bytes = 0;  ///< its slot, body object and mailbox; not what its members point to
};

namespace detail {
class Shard;
struct Process;
ProcessInfo process_info(const Shard& shard, const Process& process);
/// Of processes of this shard; those that are gone are left out.
std::vector<ProcessInfo> process_infos(std::span<const Pid> pids);
}  // namespace detail

}  // namespace bennu
