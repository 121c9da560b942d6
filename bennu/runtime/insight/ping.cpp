#include "bennu/runtime/insight/ping.hpp"

#include "bennu/runtime/runtime_state.hpp"

namespace bennu::runtime {

namespace {

using bennu::detail::Boxed;
using bennu::detail::Envelope;
using bennu::detail::Process;
using bennu::detail::Shard;

struct Ping {
    Pid to;
    std::uint64_t number;
    detail::MakePong make;
};

struct PingMessage {
    using Payload = Boxed<Ping>;
    static void run(Shard& shard, Process* process, void* payload, bennu::detail::ReplyTo,
                    Instant) {
        const Ping& ping = Payload::get(payload);
        shard.send(ping.make(ping.to, {shard.pid_of(*process), ping.number, shard.now()}));
    }
    static constexpr bennu::detail::MessageType type{
        &run, &Payload::destroy, &Payload::move, sizeof(Ping), false, "ping", Payload::trivial};
};

void ping_here(const std::vector<Pid>& pids, const Ping& ping) {
    Shard& shard = *Shard::current();
    for (Pid pid : pids) {
        const Process* process = shard.find(pid);
        if (!process || process->mailbox >= process->type->mailbox.limit) continue;
        Envelope envelope;
        envelope.type = &PingMessage::type;
        envelope.to = pid;
        PingMessage::Payload::make(envelope.payload, Ping(ping));
        shard.deliver(envelope);
    }
}

}  // namespace

void detail::send_pings(std::vector<Pid> pids, Pid to, MakePong make, std::uint64_t number) {
    const Ping ping{to, number, make};
    std::vector<std::vector<Pid>> by_shard(shard_count());
    for (Pid pid : pids) {
        if (pid && pid.shard() < by_shard.size()) by_shard[pid.shard()].push_back(pid);
    }
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        if (by_shard[shard].empty()) continue;
        post(shard, [mine = std::move(by_shard[shard]), ping] { ping_here(mine, ping); });
    }
}

}  // namespace bennu::runtime
