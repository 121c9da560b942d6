#include "bennu/pubsub/presence_table.hpp"

#include <stdexcept>

#include "bennu/base/bytes.hpp"
#include "bennu/pubsub/presence.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/placement.hpp"

namespace bennu::presence::detail {

std::uint8_t group_of(const Topic& topic) {
    return static_cast<std::uint8_t>(bennu::detail::stable_hash(topic.view()) % groups);
}

std::array<char, 16> new_ref() {
    // From the shard's generator, so that a simulation repeats itself.
    std::array<std::uint64_t, 2> bits{random().next(), random().next()};
    std::string text =
        base64url_encode(std::string_view(reinterpret_cast<const char*>(bits.data()), 12));
    std::array<char, 16> ref;
    std::ranges::copy(text, ref.begin());
    return ref;
}

std::string meta_fields(const Json& meta) {
    if (!meta.is_object()) throw std::logic_error("a presence meta must be an object");
    std::string out;
    for (const JsonMember& member : meta.as_object()) {
        if (member.key == "phx_ref" || member.key == "phx_ref_prev") continue;
        append_json_string(out, member.key);
        out += ':';
        write_json(out, member.value);
        out += ',';
    }
    return out;
}

void TopicPresence::join(const SharedText& key, std::uint64_t id, EntryText text) {
    auto place = static_cast<std::uint32_t>(joins_.size());
    if (!taken_back_.empty()) {
        // A window lasts as long as a fetch: what comes and goes in it must not add up.
        place = taken_back_.back();
        taken_back_.pop_back();
    } else {
        joins_.emplace_back();
    }
    Meta meta{id, text.ref, text.fields};
    joins_[place] = {key.str(), meta.text()};
    keys_[key].add(std::move(meta));
    fresh_.emplace(id, place);
    if (is_remote(id) && !leaves_.empty()) may_return_ = true;
    changed(key);
}

std::optional<std::array<char, 16>> TopicPresence::remove(const SharedText& key, std::uint64_t id) {
    auto found = keys_.find(key);
    if (found == keys_.end()) return std::nullopt;
    const std::optional<Meta> meta = found->second.take(id);
    if (!meta) return std::nullopt;
    if (auto fresh = fresh_.find(id); fresh != fresh_.end()) {
        joins_[fresh->second] = {};  // nobody has heard of it
        taken_back_.push_back(fresh->second);
        fresh_.erase(fresh);
    } else {
        leaves_.push_back({key.str(), meta->text()});
    }
    if (found->second.empty()) {
        keys_.erase(found);
        lacking_.erase(key.str());
    }
    changed(key);
    return meta->ref;
}

bool TopicPresence::update(const SharedText& key, std::uint64_t id, std::string fields) {
    auto previous = remove(key, id);
    if (!previous) return false;
    fields.append("\"phx_ref_prev\":\"").append(previous->data(), previous->size()).append("\",");
    join(key, id, {new_ref(), std::move(fields)});
    return true;
}

bool TopicPresence::leave(const SharedText& key, std::uint64_t id) {
    return remove(key, id).has_value();
}

std::optional<EntryText> TopicPresence::read(std::string_view key, std::uint64_t id) const {
    auto found = keys_.find(key);
    const Meta* meta = found == keys_.end() ? nullptr : found->second.find(id);
    if (!meta) return std::nullopt;
    return EntryText{meta->ref, meta->fields.str()};
}

std::string TopicPresence::metas(std::string_view key) const {
    auto found = keys_.find(key);
    return found == keys_.end() ? std::string() : joined_text(found->second);
}

std::vector<Place> TopicPresence::places() const {
    std::vector<Place> places;
    for (const auto& [key, metas] : keys_) {
        metas.for_each([&](const Meta& meta) { places.push_back({topic_, key, meta.id}); });
    }
    return places;
}

std::string TopicPresence::joined_text(const MetaList& entries) {
    std::string metas;
    entries.for_each(
        [&](const Meta& meta) { metas.append(metas.empty() ? "" : ",").append(meta.text()); });
    return metas;
}

std::vector<KeyMetas> TopicPresence::people() const {
    std::vector<KeyMetas> people;
    people.reserve(keys_.size());
    for (const auto& [key, entries] : keys_) people.push_back({key.str(), joined_text(entries)});
    return people;
}

/// Whoever comes late reads what those before read, but for what has changed since.
const Shared<StateText>& TopicPresence::state() {
    if (state_ && stale_.empty()) return state_;
    StateText text;
    if (state_) {
        text = state_->without(stale_);
        for (const std::string& key : stale_) {
            auto found = keys_.find(key);
            if (found != keys_.end()) text.add(key, joined_text(found->second), nullptr);
        }
    } else {
        for (const auto& [key, entries] : keys_) text.add(key, joined_text(entries), nullptr);
    }
    text.finish();
    state_ = make_shared_value<StateText>(std::move(text));
    stale_.clear();
    return state_;
}

void TopicPresence::changed(std::string_view key) {
    if (!state_) return;
    stale_.insert(key);
    // Nobody asks, or nearly all is new.
    if (stale_.size() <= state_->keys() / 4 + 16) return;
    state_ = {};
    stale_.clear();
}

void TopicPresence::ask(Waiting waiting) {
    if (busy()) return ask_later(std::move(waiting));
    post(waiting.shard, [state = state(), use = std::move(waiting.use)]() mutable { use(state); });
}

std::vector<KeyMetas> TopicPresence::lacking_people() const {
    std::vector<KeyMetas> people;
    for (const std::string& key : lacking_) people.push_back({key, metas(key)});
    return people;
}

void TopicPresence::told(const Outgoing& outgoing, bool complete) {
    failures_ = complete ? 0 : failures_ + 1;
    for (const Change& join : outgoing.joins) {
        if (complete && !join.text.empty()) lacking_.erase(join.key);
    }
    if (complete) {
        for (const KeyMetas& one : outgoing.again) lacking_.erase(one.key);
    } else {
        for (std::string& key : outgoing.told_to_clients()) {
            if (keys_.contains(std::string_view(key))) lacking_.insert(std::move(key));
        }
    }
}

/// An entry of another node that left and came back within a window is the same one, and nobody has
/// heard that it left. Clients take leaves after joins: it would be gone with them.
void TopicPresence::cancel_returns() {
    if (!std::exchange(may_return_, false)) return;
    std::unordered_map<std::string_view, Change*> leaves;
    for (Change& leave : leaves_) leaves.emplace(leave.text, &leave);
    for (Change& join : joins_) {
        if (join.text.empty()) continue;
        auto leave = leaves.extract(join.text);
        if (leave.empty()) continue;
        leave.mapped()->text.clear();
        join.text.clear();
    }
}

void TopicPresence::end_window() {
    scheduled = false;
    last_flush = now();
    cancel_returns();
    taken_back_.clear();
    fresh_ = {};
}

Outgoing TopicPresence::take() {
    end_window();
    const bool again = std::exchange(tell_again_, false);
    return {.joins = std::exchange(joins_, {}),
            .leaves = std::exchange(leaves_, {}),
            .state = waiting_.empty() ? std::vector<KeyMetas>() : people(),
            .waiting = std::exchange(waiting_, {}),
            .again = again ? lacking_people() : std::vector<KeyMetas>()};
}

Outgoing TopicPresence::flush(const PublishDiff& publish) {
    end_window();
    Outgoing outgoing{.joins = std::exchange(joins_, {}),
                      .leaves = std::exchange(leaves_, {}),
                      .state = {},
                      .waiting = {},
                      .again = {}};
    // Without a fetch there is nothing that could be lacking.
    lacking_.clear();
    tell_again_ = false;
    if (const auto diff = outgoing.diff(nullptr)) publish(topic_, *diff);
    for (Waiting& waiting : std::exchange(waiting_, {})) ask(std::move(waiting));
    return outgoing;
}

PresenceTable::PresenceTable()
    // Each node makes the diffs of its own subscribers.
    : publish([](const Topic& topic, const Payload& diff) {
          pubsub::local_broadcast(topic, "presence_diff", diff);
      }) {}

TopicPresence& PresenceTable::topic(const Topic& topic) {
    return topics_.try_emplace(topic, topic).first->second;
}

TopicPresence* PresenceTable::find(std::string_view topic) {
    auto found = topics_.find(Topic(topic));
    return found == topics_.end() ? nullptr : &found->second;
}
const TopicPresence* PresenceTable::find(std::string_view topic) const {
    auto found = topics_.find(Topic(topic));
    return found == topics_.end() ? nullptr : &found->second;
}

void PresenceTable::join(const Place& place, std::string fields) {
    TopicPresence& presence = topic(place.topic);
    presence.join(place.key, place.id, {new_ref(), std::move(fields)});
    schedule(presence, place.topic);
    if (observer) observer->joined(place);
}

void PresenceTable::update(const Place& place, std::string fields) {
    TopicPresence* presence = find(place.topic);
    if (!presence || !presence->update(place.key, place.id, std::move(fields))) return;
    schedule(*presence, place.topic);
    if (observer) observer->updated(place);
}

void PresenceTable::leave(const Place& place) {
    TopicPresence* presence = find(place.topic);
    if (!presence || !presence->leave(place.key, place.id)) return;
    schedule(*presence, place.topic);
    if (observer) observer->left(place);
}

EntryText PresenceTable::read(const Place& place) const {
    const TopicPresence* presence = find(place.topic);
    return presence ? presence->read(place.key, place.id).value_or(EntryText{}) : EntryText{};
}

void PresenceTable::apply(Changes changes) {
    leave_remote(changes.leaves);
    for (auto& [place, text] : changes.joins) {
        TopicPresence& presence = topic(place.topic);
        presence.join(place.key, place.id, std::move(text));
        schedule(presence, place.topic);
    }
}

void PresenceTable::leave_remote(const std::vector<Place>& places) {
    for (const Place& place : places) {
        TopicPresence* presence = find(place.topic);
        if (presence && presence->leave(place.key, place.id)) schedule(*presence, place.topic);
    }
}

std::vector<Place> PresenceTable::places(bool remote) const {
    std::vector<Place> found;
    for (const auto& [topic, presence] : topics_) {
        for (Place& place : presence.places()) {
            if (is_remote(place.id) == remote) found.push_back(std::move(place));
        }
    }
    return found;
}

std::vector<Place> PresenceTable::own() const {
    return places(false);
}
void PresenceTable::drop_remote() {
    leave_remote(places(true));
}

void PresenceTable::ask(const Topic& topic, Waiting waiting) {
    TopicPresence& presence = this->topic(topic);
    if (presence.keys() > 0 && fetches.find(topic)) {
        // All that ask in a turn, or in a window, share a fetch.
        presence.ask_later(std::move(waiting));
        schedule(presence, topic);
        return;
    }
    presence.ask(std::move(waiting));
    drop_if_idle(topic);
}

void PresenceTable::drop_if_idle(std::string_view topic) {
    TopicPresence* presence = find(topic);
    if (presence && presence->idle()) topics_.erase(Topic(topic));
}

void PresenceTable::schedule(TopicPresence& presence, const Topic& topic) {
    if (presence.busy()) return;
    presence.scheduled = true;
    const bool quiet = !presence.last_flush || now() - *presence.last_flush >= window;
    std::vector<Topic>& list = quiet ? at_turn_end_ : at_window_end_;
    list.push_back(topic);
    if (list.size() > 1) return;
    if (quiet) {
        bennu::at_turn_end([this] { flush(at_turn_end_); });
    } else {
        spawn_task([this]() -> Task<> {
            co_await sleep(window);
            flush(at_window_end_);
        });
    }
}

void PresenceTable::flush(std::vector<Topic>& due) {
    for (const Topic& topic : std::exchange(due, {})) {
        if (TopicPresence* presence = find(topic)) send_out(*presence, topic);
        drop_if_idle(topic);
    }
}

void PresenceTable::send_out(TopicPresence& presence, const Topic& topic) {
    const Fetch* fetch = fetches.find(topic);
    if (!fetch) return hooks.changed(topic, presence, presence.flush(publish));
    Outgoing outgoing = presence.take();
    hooks.changed(topic, presence, outgoing);
    std::vector<KeyMetas> people = outgoing.people();
    if (people.empty()) return deliver(topic, outgoing, nullptr);
    presence.fetching = true;
    fetch->run(topic, std::move(people),
               [this, topic, outgoing = std::move(outgoing)](const FetchedText* fetched) mutable {
                   TopicPresence& presence = this->topic(topic);
                   presence.told(outgoing, fetched != nullptr);
                   deliver(topic, outgoing, fetched);
                   presence.fetching = false;
                   retry(presence, topic);
                   if (presence.due()) schedule(presence, topic);
                   drop_if_idle(topic);
               });
}

void PresenceTable::retry(TopicPresence& presence, const Topic& topic) {
    const Fetch* fetch = fetches.find(topic);
    if (!fetch || !presence.incomplete() || std::exchange(presence.retry_waits, true)) return;
    const Duration wait = fetch->retry_after(presence.failures());
    spawn_task([this, topic, wait]() -> Task<> {
        co_await sleep(wait);
        TopicPresence* presence = find(topic);
        if (!presence) co_return;
        presence->retry_waits = false;
        presence->tell_again();
        if (presence->due()) schedule(*presence, topic);
    });
}

void PresenceTable::deliver(const Topic& topic, Outgoing& outgoing, const FetchedText* fetched) {
    if (const auto diff = outgoing.diff(fetched)) publish(topic, *diff);
    outgoing.answer(fetched);
}

}  // namespace bennu::presence::detail
