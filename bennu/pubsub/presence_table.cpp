#include "bennu/pubsub/presence_table.hpp"

#include <stdexcept>

#include "bennu/base/bytes.hpp"
#include "bennu/pubsub/presence.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace bennu::presence::detail {

namespace {

/// 16 characters that no other entry has. From the shard's generator, so that a simulation repeats
/// itself.
std::array<char, 16> new_ref() {
    std::array<std::uint64_t, 2> bits{random().next(), random().next()};
    std::string text =
        base64url_encode(std::string_view(reinterpret_cast<const char*>(bits.data()), 12));
    std::array<char, 16> ref;
    std::ranges::copy(text, ref.begin());
    return ref;
}

struct TextGroups {
    std::vector<std::string_view> order;
    std::unordered_map<std::string_view, std::string> metas;

    void add(std::string_view key, std::string_view text) {
        auto [group, fresh] = metas.try_emplace(key);
        if (fresh) order.push_back(key);
        if (!fresh) group->second += ',';
        group->second += text;
    }
};

void append_group(std::string& out, std::string_view key, std::string_view metas) {
    if (out.back() != '{') out += ',';
    append_json_string(out, key);
    out.append(":{\"metas\":[").append(metas).append("]}");
}

template <typename Changes>
void append_changes(std::string& out, const Changes& changes) {
    TextGroups groups;
    for (const auto& change : changes) {
        if (!change.text.empty()) groups.add(change.key, change.text);
    }
    out += '{';
    for (std::string_view key : groups.order) append_group(out, key, groups.metas[key]);
    out += '}';
}

}  // namespace

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

std::string TopicPresence::Meta::text() const {
    std::string out = "{";
    out.append(fields).append("\"phx_ref\":\"").append(ref.data(), ref.size()).append("\"}");
    return out;
}

void TopicPresence::add(const std::string& key, std::uint64_t id, std::string fields) {
    fields.shrink_to_fit();
    const auto place = static_cast<std::uint32_t>(joins_.size());
    const Meta& meta = keys_[key].emplace_back(id, window_, place, new_ref(), std::move(fields));
    joins_.push_back({key, meta.text()});
    state_ = {};
}

std::optional<std::array<char, 16>> TopicPresence::remove(const std::string& key,
                                                          std::uint64_t id) {
    auto found = keys_.find(key);
    if (found == keys_.end()) return std::nullopt;
    std::vector<Meta>& metas = found->second;
    auto meta = std::ranges::find(metas, id, &Meta::id);
    if (meta == metas.end()) return std::nullopt;
    if (meta->window == window_) {
        joins_[meta->place].text.clear();  // nobody has heard of it
    } else {
        leaves_.push_back({key, meta->text()});
    }
    std::array<char, 16> ref = meta->ref;
    metas.erase(meta);
    if (metas.empty()) keys_.erase(found);
    state_ = {};
    return ref;
}

void TopicPresence::join(const std::string& key, std::uint64_t id, std::string fields) {
    add(key, id, std::move(fields));
}

void TopicPresence::update(const std::string& key, std::uint64_t id, std::string fields) {
    auto previous = remove(key, id);
    if (!previous) return;
    fields.append("\"phx_ref_prev\":\"").append(previous->data(), previous->size()).append("\",");
    add(key, id, std::move(fields));
}

void TopicPresence::leave(const std::string& key, std::uint64_t id) {
    remove(key, id);
}

const Shared<std::string>& TopicPresence::state() {
    if (!state_) {
        std::string out = "{";
        std::string metas;
        for (const auto& [key, entries] : keys_) {
            metas.clear();
            for (const Meta& meta : entries)
                metas.append(metas.empty() ? "" : ",").append(meta.text());
            append_group(out, key, metas);
        }
        out += '}';
        state_ = make_shared_value<std::string>(std::move(out));
    }
    return state_;
}

void TopicPresence::ask(std::uint8_t shard, UseState use) {
    if (scheduled) {
        waiting_.push_back({shard, std::move(use)});
        return;
    }
    post(shard, [state = state(), use = std::move(use)]() mutable { use(state); });
}

void TopicPresence::flush() {
    scheduled = false;
    last_flush = now();
    std::string diff = "{\"joins\":";
    append_changes(diff, joins_);
    diff += ",\"leaves\":";
    append_changes(diff, leaves_);
    diff += '}';
    joins_.clear();
    leaves_.clear();
    ++window_;
    if (diff != R"({"joins":{},"leaves":{}})") {
        pubsub::broadcast(topic_, "presence_diff", Payload::from_text(std::move(diff)));
    }
    for (Waiting& waiting : std::exchange(waiting_, {})) ask(waiting.shard, std::move(waiting.use));
}

TopicPresence& PresenceTable::topic(const Topic& topic) {
    return topics_.try_emplace(topic, topic).first->second;
}

TopicPresence* PresenceTable::find(std::string_view topic) {
    auto found = topics_.find(Topic(topic));
    return found == topics_.end() ? nullptr : &found->second;
}

void PresenceTable::drop_if_idle(std::string_view topic) {
    TopicPresence* presence = find(topic);
    if (presence && presence->idle()) topics_.erase(Topic(topic));
}

void PresenceTable::schedule(TopicPresence& presence, const Topic& topic) {
    if (presence.scheduled) return;
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
        if (TopicPresence* presence = find(topic)) presence->flush();
        drop_if_idle(topic);
    }
}

}  // namespace bennu::presence::detail
