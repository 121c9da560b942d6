#include "bennu/runtime/wait.hpp"

namespace bennu::detail {

const WaitTable::Entry* WaitTable::first_of(Pid owner) const {
    for (const Entry& entry : entries_) {
        if (entry.active && entry.owner == owner) return &entry;
    }
    return nullptr;
}

std::uint32_t WaitTable::grow() {
    entries_.emplace_back();
    return static_cast<std::uint32_t>(entries_.size() - 1);
}

}  // namespace bennu::detail
