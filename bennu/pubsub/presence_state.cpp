#include "bennu/pubsub/presence_state.hpp"

#include <algorithm>

namespace bennu::presence::detail {

namespace {

/// What an entry adds to a message beside its text, roughly.
constexpr std::size_t entry_overhead = 48;

std::size_t size_of(const Entry& entry) {
    return entry_overhead + entry.topic.view().size() + entry.key.size() + entry.text.fields.size();
}

}  // namespace

// --- Own entries -------------------------------------------------------------------------------

void PresenceState::log(std::uint64_t removed) {
    ++clock_;
    log_.push_back(removed);
    if (log_.size() > limits_.log) log_.pop_front();
}

void PresenceState::join(Place place) {
    log(0);
    dots_[place.id] = clock_;
    own_.emplace_hint(own_.end(), clock_, std::move(place));
}

void PresenceState::leave(std::uint64_t id) {
    auto found = dots_.find(id);
    if (found == dots_.end()) return;
    log(found->second);
    own_.erase(found->second);
    dots_.erase(found);
}

bool PresenceState::update(std::uint64_t id) {
    auto found = dots_.find(id);
    if (found == dots_.end()) return false;
    // One operation, so that nobody sees the entry gone in between.
    log(found->second);
    auto moved = own_.extract(found->second);
    moved.key() = clock_;
    own_.insert(own_.end(), std::move(moved));
    found->second = clock_;
    return true;
}

bool PresenceState::logged(std::uint64_t since) const {
    return since <= clock_ && clock_ - since <= log_.size();
}

Delta PresenceState::extract(const DeltaRequest& request,
                             const std::function<EntryText(const Place&)>& read) const {
    const bool goes_on = request.next != 0 && request.as_of <= clock_;
    if (goes_on || !logged(request.since)) return part_after(request, read);
    return changes_since(request.since, read);
}

Delta PresenceState::changes_since(std::uint64_t since,
                                   const std::function<EntryText(const Place&)>& read) const {
    Delta delta{.kind = Delta::Kind::changes, .from = since, .to = since};
    std::size_t bytes = 0;
    auto entry = own_.upper_bound(since);
    // Any number of whole operations is a delta; an entry that a later one took away is missing
    // already.
    while (delta.to < clock_ && bytes < limits_.message_bytes) {
        const std::uint64_t operation = ++delta.to;
        const std::uint64_t removed = log_[log_.size() - (clock_ - operation) - 1];
        if (removed != 0 && removed <= since) {
            delta.removed.push_back(removed);
            bytes += sizeof removed;
        }
        if (entry != own_.end() && entry->first == operation) {
            const Place& place = entry->second;
            bytes += size_of(
                delta.entries.emplace_back(operation, place.topic, place.key.str(), read(place)));
            ++entry;
        }
    }
    std::ranges::sort(delta.removed);
    return delta;
}

Delta PresenceState::part_after(const DeltaRequest& request,
                                const std::function<EntryText(const Place&)>& read) const {
    const bool goes_on = request.next != 0 && request.as_of <= clock_;
    Delta delta{.kind = Delta::Kind::part,
                .from = goes_on ? request.next : 0,
                .as_of = goes_on ? request.as_of : clock_};
    delta.to = delta.from;
    std::size_t bytes = 0;
    auto entry = own_.upper_bound(delta.from);
    for (; entry != own_.end() && entry->first <= delta.as_of && bytes < limits_.message_bytes;
         ++entry) {
        const auto& [dot, place] = *entry;
        bytes +=
            size_of(delta.entries.emplace_back(dot, place.topic, place.key.str(), read(place)));
        delta.to = dot;
    }
    if (entry == own_.end() || entry->first > delta.as_of) delta.to = delta.as_of;
    return delta;
}

// --- The entries of others ---------------------------------------------------------------------

/// Within (from, to] the delta lists all that is there; what it lacks has left, and stays so.
void PresenceState::cover(Replica& replica, const Delta& delta, Changes& changes) {
    auto listed = delta.entries.begin();
    auto known = replica.entries.upper_bound(delta.from);
    while (known != replica.entries.end() && known->first <= delta.to) {
        while (listed != delta.entries.end() && listed->dot < known->first) ++listed;
        if (listed != delta.entries.end() && listed->dot == known->first) {
            ++known;
            continue;
        }
        changes.leaves.push_back(std::move(known->second));
        known = replica.entries.erase(known);
    }
    for (const Entry& entry : delta.entries) {
        if (replica.knows(entry.dot)) continue;
        Place place{entry.topic, entry.key, remote_ids | ++next_id_};
        replica.entries.emplace(entry.dot, place);
        changes.joins.push_back({std::move(place), entry.text});
    }
}

Changes PresenceState::merge(const ReplicaId& id, const Delta& delta) {
    Changes changes;
    auto found = replicas_.find(id.name);
    if (found != replicas_.end() && found->second.incarnation > id.incarnation) return changes;
    if (found != replicas_.end() && found->second.incarnation < id.incarnation) {
        changes.leaves = remove(id.name);
        found = replicas_.end();
    }
    if (found == replicas_.end())
        found = replicas_.emplace(id.name, Replica{.incarnation = id.incarnation}).first;
    Replica& replica = found->second;

    if (delta.kind == Delta::Kind::changes) {
        if (delta.from > replica.clock) {
            changes.gap = true;
            return changes;
        }
        if (delta.to <= replica.clock) return changes;
        for (std::uint64_t dot : delta.removed) {
            auto entry = replica.entries.find(dot);
            if (entry == replica.entries.end()) continue;
            changes.leaves.push_back(std::move(entry->second));
            replica.entries.erase(entry);
        }
        cover(replica, delta, changes);
        replica.clock = delta.to;
    } else {
        if (delta.as_of <= replica.clock) return changes;
        if (replica.next == 0 && delta.from == 0) replica.as_of = delta.as_of;
        if (delta.from != replica.next || delta.as_of != replica.as_of) return changes;
        cover(replica, delta, changes);
        replica.next = delta.to;
        if (delta.to == delta.as_of) replica.clock = delta.as_of;
    }
    if (replica.clock >= replica.as_of) replica.as_of = replica.next = 0;
    return changes;
}

std::vector<Place> PresenceState::remove(const std::string& name) {
    std::vector<Place> leaves;
    auto found = replicas_.find(name);
    if (found == replicas_.end()) return leaves;
    for (auto& [dot, place] : found->second.entries) leaves.push_back(std::move(place));
    replicas_.erase(found);
    return leaves;
}

std::uint64_t PresenceState::known(const ReplicaId& replica) const {
    return request_to(replica).since;
}

DeltaRequest PresenceState::request_to(const ReplicaId& id) const {
    auto found = replicas_.find(id.name);
    if (found == replicas_.end() || found->second.incarnation != id.incarnation) return {};
    const Replica& replica = found->second;
    return {.since = replica.clock, .as_of = replica.as_of, .next = replica.next};
}

}  // namespace bennu::presence::detail
