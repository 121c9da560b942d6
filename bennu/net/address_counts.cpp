#include "bennu/net/address_counts.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace bennu::net {

AddressCounts::Entry AddressCounts::enter(const std::string& host) {
    if (limit_ == 0) return {};
    Key key{};
    if (::inet_pton(AF_INET, host.c_str(), key.data() + 12) == 1) {
        if (key[12] == 127 && !loopback_too_) return {};
        key[10] = key[11] = 0xff;
    } else if (::inet_pton(AF_INET6, host.c_str(), key.data()) == 1) {
        constexpr Key loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        constexpr Key mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        if (std::equal(key.begin(), key.begin() + 12, mapped.begin())) {
            if (key[12] == 127 && !loopback_too_) return {};
        } else if (key == loopback) {
            if (!loopback_too_) return {};
        } else {
            std::fill(key.begin() + 8, key.end(), 0);
        }
    } else {
        return {};  // a Unix socket
    }
    std::lock_guard lock(mutex_);
    auto [at, fresh] = slots_of_.try_emplace(key);
    if (fresh) {
        if (free_.empty()) {
            slots_.emplace_back();
            free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        }
        at->second = free_.back();
        free_.pop_back();
        slots_[at->second - 1] = {key, 0};
    }
    Slot& slot = slots_[at->second - 1];
    if (slot.count >= limit_) return {.admitted = false};
    ++slot.count;
    return {.slot = at->second};
}

void AddressCounts::leave(std::uint32_t slot) {
    if (slot == 0) return;
    std::lock_guard lock(mutex_);
    Slot& own = slots_[slot - 1];
    if (--own.count > 0) return;
    slots_of_.erase(own.key);
    free_.push_back(slot);
}

std::size_t AddressCounts::addresses() const {
    std::lock_guard lock(mutex_);
    return slots_of_.size();
}

}  // namespace bennu::net
