#include "bennu/runtime/launcher/work.hpp"

#include <time.h>

#include "bennu/runtime/launcher/node.hpp"
#include "bennu/runtime/launcher/node_page.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu {

namespace {

NodePage::Slot* take_slot(std::uint8_t shard, const WorkKey& key) {
    NodePage* page = detail::node_page();
    if (!page) return nullptr;
    // Only the shard's own thread takes and frees its slots.
    for (NodePage::Slot& slot : page->shards[shard].in_flight) {
        if (slot.key.load(std::memory_order_relaxed) != 0) continue;
        slot.text.set(key.text());
        slot.key.store(key.hash(), std::memory_order_release);
        return &slot;
    }
    return nullptr;
}

}  // namespace

WorkKey::WorkKey(std::string text) : text_(std::move(text)), hash_(14695981039346656037U) {
    // FNV-1a: the same in every build, because the launcher remembers keys across upgrades.
    for (char each : text_) hash_ = (hash_ ^ static_cast<unsigned char>(each)) * 1099511628211U;
    if (hash_ == 0) hash_ = 1;
}

WorkLabel::WorkLabel(const WorkKey& key) : key_(key) {
    detail::Shard* shard = detail::Shard::current();
    if (!shard) return;
    process_ = shard->running();
    head_ = &shard->newest_work();
    older_ = *head_;
    if (older_) older_->newer_ = this;
    *head_ = this;
    slot_ = take_slot(shard->index(), key);
}

WorkLabel::~WorkLabel() {
    if (!head_) return;
    (newer_ ? newer_->older_ : *head_) = older_;
    if (older_) older_->newer_ = newer_;
    if (slot_) static_cast<NodePage::Slot*>(slot_)->key.store(0, std::memory_order_release);
}

const WorkLabel* WorkLabel::of(WorkLabel* newest, Pid process) {
    const WorkLabel* label = newest;
    while (label && label->process_ != process) label = label->older_;
    return label;
}

std::optional<Duration> quarantined(const WorkKey& key) {
    NodePage* page = detail::node_page();
    if (!page) return std::nullopt;
    std::size_t count = page->quarantined_count.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < count && i < NodePage::most_quarantined; ++i) {
        if (page->quarantined[i].key.load(std::memory_order_relaxed) != key.hash()) continue;
        timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC, &time);
        Duration left = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
        left = Duration(page->quarantined[i].until.load(std::memory_order_relaxed)) - left;
        if (left > Duration::zero()) return left;
    }
    return std::nullopt;
}

}  // namespace bennu
