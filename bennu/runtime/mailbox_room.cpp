#include "bennu/runtime/mailbox_room.hpp"

#include <stdexcept>

#include "bennu/runtime/shard.hpp"

namespace bennu {

std::uint32_t mailbox_room() {
    detail::Shard* shard = detail::Shard::current();
    const detail::Process* process = shard ? shard->find(shard->running()) : nullptr;
    if (!process) throw std::logic_error("this needs a running process");
    const auto limit = static_cast<std::uint32_t>(process->type->mailbox.limit);
    return limit > process->mailbox ? limit - process->mailbox : 0;
}

}  // namespace bennu
