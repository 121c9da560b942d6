#include "bennu/runtime/launcher/quarantine.hpp"

#include <algorithm>

namespace bennu {

const Quarantine::Entry* Quarantine::crashed(Instant now, std::uint64_t key,
                                             const std::string& text) {
    if (options_.crashes == 0 || key == 0) return nullptr;
    recent_.push_back({now, key});
    while (recent_.size() > options_.among || recent_.front().at < now - options_.window)
        recent_.pop_front();
    auto known = std::ranges::find(entries_, key, &Entry::key);
    if (known != entries_.end()) {
        known->term = std::min(known->term * 2, options_.longest);
    } else if (std::ranges::count(recent_, key, &Crash::key) < options_.crashes) {
        return nullptr;
    } else {
        known = entries_.insert(entries_.end(), Entry{key, text, {}, options_.first});
    }
    known->until = now + known->term;
    return &*known;
}

std::vector<Quarantine::Entry> Quarantine::active(Instant now) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.until + entry.term <= now; });
    std::vector<Entry> list;
    std::ranges::copy_if(entries_, std::back_inserter(list),
                         [&](const Entry& entry) { return entry.until > now; });
    return list;
}

Instant Quarantine::next_release(Instant now) const {
    Instant next = Instant::max();
    for (const Entry& entry : entries_) {
        if (entry.until > now) next = std::min(next, entry.until);
    }
    return next;
}

void Quarantine::release_all() {
    entries_.clear();
    recent_.clear();
}

}  // namespace bennu
