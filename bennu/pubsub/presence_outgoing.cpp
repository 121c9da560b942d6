#include "bennu/pubsub/presence_outgoing.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "bennu/runtime/process.hpp"

namespace bennu::presence::detail {

namespace {

/// By key, in the order of the first change of each.
std::vector<KeyMetas> grouped(const std::vector<Change>& changes) {
    std::vector<KeyMetas> groups;
    std::unordered_map<std::string_view, std::size_t> places;
    for (const Change& change : changes) {
        if (change.text.empty()) continue;
        const auto [place, fresh] = places.try_emplace(change.key, groups.size());
        if (fresh) groups.push_back({change.key, {}});
        std::string& metas = groups[place->second].metas;
        metas.append(fresh ? "" : ",").append(change.text);
    }
    return groups;
}

void append_all(std::string& out, const std::vector<KeyMetas>& groups, const FetchedText* fetched) {
    out += '{';
    for (const KeyMetas& group : groups) append_key(out, group.key, group.metas, fetched);
    out += '}';
}

/// Adds those who are not there yet.
void add_others(std::vector<KeyMetas>& all, std::vector<KeyMetas> more) {
    std::unordered_set<std::string> there;
    for (const KeyMetas& present : all) there.insert(present.key);
    for (KeyMetas& one : more) {
        if (!there.contains(one.key)) all.push_back(std::move(one));
    }
}

}  // namespace

std::vector<KeyMetas> Outgoing::people() const {
    std::vector<KeyMetas> all = waiting.empty() ? again : state;
    if (waiting.empty()) add_others(all, grouped(joins));
    add_others(all, grouped(leaves));
    return all;
}

std::vector<std::string> Outgoing::told_to_clients() const {
    std::vector<std::string> keys;
    for (const Change& join : joins) {
        if (!join.text.empty()) keys.push_back(join.key);
    }
    if (std::ranges::find(waiting, Asker::client, &Waiting::asker) == waiting.end()) return keys;
    for (const KeyMetas& present : state) keys.push_back(present.key);
    return keys;
}

std::optional<Payload> Outgoing::diff(const FetchedText* fetched) const {
    std::vector<KeyMetas> joined;
    for (const KeyMetas& one : again) {
        if (fetched && fetched->contains(one.key)) joined.push_back(one);
    }
    add_others(joined, grouped(joins));
    const std::vector<KeyMetas> left = grouped(leaves);
    if (joined.empty() && left.empty()) return std::nullopt;
    std::string text = "{\"joins\":";
    append_all(text, joined, fetched);
    text += ",\"leaves\":";
    append_all(text, left, fetched);
    text += '}';
    return Payload::from_text(std::move(text));
}

void Outgoing::answer(const FetchedText* fetched) {
    if (waiting.empty()) return;
    StateText text;
    for (const KeyMetas& present : state) text.add(present.key, present.metas, fetched);
    text.finish();
    const auto shared = make_shared_value<StateText>(std::move(text));
    for (Waiting& one : std::exchange(waiting, {}))
        post(one.shard, [shared, use = std::move(one.use)]() mutable { use(shared); });
}

}  // namespace bennu::presence::detail
