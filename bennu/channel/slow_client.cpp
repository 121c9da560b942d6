#include "bennu/channel/slow_client.hpp"

#include <algorithm>

namespace bennu::phoenix {

std::size_t SlowClient::cost(const HeldMessage& held) {
    // Broadcasts are shared with other clients, but nobody else may have kept this one.
    return 128 + (held.frame.empty() ? held.message.data().size() : held.frame.size());
}

bool SlowClient::hold(HeldMessage held) {
    std::string key = options_.key ? options_.key(held.message) : std::string();
    if (!key.empty()) {
        auto [place, added] = by_key_.try_emplace(std::move(key), held_.end());
        if (!added) {
            bytes_ -= cost(*place->second);
            held_.erase(place->second);
        }
        bytes_ += cost(held);
        place->second = held_.insert(held_.end(), std::move(held));
    } else {
        bytes_ += cost(held);
        held_.push_back(std::move(held));
    }
    return bytes_ <= options_.max_bytes;
}

std::list<HeldMessage> SlowClient::take() {
    by_key_.clear();
    bytes_ = 0;
    return std::exchange(held_, {});
}

SlowClient::Lost* SlowClient::lost(std::string_view topic) {
    auto found = std::ranges::find_if(lost_, [&](const Lost& lost) { return lost.topic == topic; });
    return found == lost_.end() ? nullptr : &*found;
}

void SlowClient::drop(const Topic& topic) {
    if (!lost(topic)) lost_.push_back({.topic = topic});
}

void SlowClient::forget(std::string_view topic) {
    std::erase_if(lost_, [&](const Lost& lost) { return lost.topic == topic; });
    std::erase_if(by_key_, [&](auto& entry) { return entry.second->message.topic() == topic; });
    for (auto held = held_.begin(); held != held_.end();) {
        if (held->message.topic() == topic) {
            bytes_ -= cost(*held);
            held = held_.erase(held);
        } else {
            ++held;
        }
    }
}

}  // namespace bennu::phoenix
