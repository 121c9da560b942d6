#include "bennu/runtime/insight/process_info.hpp"

#include "bennu/runtime/shard.hpp"

namespace bennu {

std::string_view to_string(ProcessState state) {
    switch (state) {
        case ProcessState::idle:
            return "idle";
        case ProcessState::queued:
            return "queued";
        case ProcessState::waiting:
            return "waiting";
        case ProcessState::stopping:
            return "stopping";
    }
    return "unknown";
}

namespace detail {

ProcessInfo process_info(const Shard& shard, const Process& process) {
    ProcessInfo info;
    info.pid = shard.pid_of(process);
    if (const auto* name = process.besides.name()) info.name = name->text();
    info.type = process.type->name;
    info.mailbox = process.mailbox;
    info.runs = shard.runs(process);
    info.bytes =
        sizeof(Process) + process.type->body_size + process.mailbox * std::size_t{sizeof(Message)};
    if (process.has(Process::stopping)) {
        info.state = ProcessState::stopping;
    } else if (process.root) {
        info.state = ProcessState::waiting;
    } else if (process.has(Process::scheduled)) {
        info.state = ProcessState::queued;
    }
    return info;
}

std::vector<ProcessInfo> process_infos(std::span<const Pid> pids) {
    Shard* shard = Shard::current();
    std::vector<ProcessInfo> infos;
    for (Pid pid : pids) {
        if (const Process* process = shard->find(pid))
            infos.push_back(process_info(*shard, *process));
    }
    return infos;
}

}  // namespace detail
}  // namespace bennu
