#include "bennu/net/tls_tickets.hpp"

#include <algorithm>
#include <span>

#include "bennu/base/crypto.hpp"
#include "bennu/base/random.hpp"
#include "bennu/runtime/context.hpp"

namespace bennu::net {

TicketKeys::TicketKeys(const Secret& secret, Duration rotation)
    : rotation_ms_(std::max<std::int64_t>(rotation.count() / 1'000'000, 1000)) {
    std::string text(secret.reveal());
    if (text.empty()) {
        text.resize(32);
        secure_random(std::as_writable_bytes(std::span(text)));
    }
    secret_ = Secret(std::move(text));
}

std::optional<TicketKeys::Found> TicketKeys::find(std::string_view name) {
    std::int64_t at = period();
    for (std::int64_t offset : {0, -1, 1}) {
        Key one = key(at + offset);
        if (constant_time_equal(one.name, name)) return Found{std::move(one), offset == 0};
    }
    return std::nullopt;
}

std::int64_t TicketKeys::period() const {
    Timestamp at = on_shard() ? wall_now() : system_now();
    return at.ms / rotation_ms_;
}

TicketKeys::Key TicketKeys::key(std::int64_t period) {
    std::lock_guard lock(mutex_);
    auto [at, fresh] = keys_.try_emplace(period);
    if (!fresh) return at->second;
    std::string bytes =
        hkdf_sha256(secret_.reveal(), std::to_string(period), "tls session tickets", 80);
    Key made{bytes.substr(0, 16), bytes.substr(16, 32), bytes.substr(48, 32)};
    at->second = made;
    while (keys_.size() > 4) keys_.erase(keys_.begin());
    return made;
}

}  // namespace bennu::net
