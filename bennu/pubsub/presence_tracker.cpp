#include "bennu/pubsub/presence_tracker.hpp"

#include "bennu/base/bytes.hpp"
#include "bennu/base/log.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/pubsub/node_shards.hpp"
#include "bennu/runtime/interval.hpp"

namespace bennu::presence {

namespace detail {

using Kind = TrackerMessage::Kind;

namespace {

/// Grows from one start of a node to the next, unless its clock was set back; never repeats.
std::uint64_t new_incarnation(std::uint64_t last) {
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, wall_now().ms));
    return std::max(ms << 20 | random().below(1 << 20), last + 1);
}

std::string drawn_name() {
    const std::array<std::uint64_t, 2> bits{random().next(), random().next()};
    return base64url_encode({reinterpret_cast<const char*>(bits.data()), 12});
}

}  // namespace

Tracker::Tracker(TrackerOptions options, TrackerLinks links)
    : options_(std::move(options)), links_(std::move(links)) {}

Tracker::~Tracker() {
    if (!links_.table || links_.table->observer != this) return;
    links_.table->observer = nullptr;
    links_.table->tracker = {};
}

Task<Result<>> Tracker::init() {
    if (!links_.table) links_.table = &shard_local<PresenceTable>();
    if (!links_.send) links_.send = &pubsub::send_to_node;
    PresenceTable& table = *links_.table;
    pid_ = self();
    // Each shard's is a replica by itself: it may be started again without the others.
    id_ = {(options_.name.empty() ? drawn_name() : options_.name) + "/" +
               std::to_string(shard_index()),
           new_incarnation(table.last_incarnation)};
    table.last_incarnation = id_.incarnation;
    // A former tracker may have ended by a fault: what it knew of others comes again.
    table.drop_remote();
    table.observer = this;
    table.tracker = pid_;
    for (const Place& place : table.own()) joined(place);
    gaps_ = pubsub::subscribe(Ref<Tracker>(pid_), pubsub::gap_topic);
    ticked_ = now();
    send_interval(Ref<Tracker>(pid_), Tick{}, options_.heartbeat);
    send(0, {.kind = Kind::hello});
    co_return {};
}

Task<> Tracker::terminate(ExitReason) {
    send(0, {.kind = Kind::goodbye});
    links_.table->drop_remote();
    co_return;
}

Tracker::Group& Tracker::group(std::uint8_t index) {
    return groups_.try_emplace(index, PresenceState(options_.limits)).first->second;
}

// --- This node's own entries -------------------------------------------------------------------

bool Tracker::travels(const Place& place) const {
    const bool fits = !place.topic.empty() && place.topic.view().size() <= 0xffff &&
                      place.key.size() <= longest_key && valid_utf8(place.topic.view()) &&
                      valid_utf8(place.key) &&
                      links_.table->read(place).fields.size() <= longest_fields;
    if (!fits) {
        log_warning("a presence is too large for other nodes",
                    {{"topic", place.topic.view().substr(0, 100)}});
    }
    return fits;
}

void Tracker::changed(const Place& place) {
    const std::uint8_t index = detail::group_of(place.topic);
    Group& group = this->group(index);
    if (std::exchange(group.flush_due, true)) return;
    const Duration quiet = now() - group.flushed;
    if (quiet >= options_.gather) {
        cast(Ref<Tracker>(pid_), Flush{index});
    } else {
        send_after(Ref<Tracker>(pid_), Flush{index}, options_.gather - quiet);
    }
}

void Tracker::joined(const Place& place) {
    if (!travels(place)) return;
    group_of(place.topic).state.join(place);
    changed(place);
}

void Tracker::updated(const Place& place) {
    PresenceState& state = group_of(place.topic).state;
    if (!travels(place)) {
        state.leave(place.id);
    } else if (!state.update(place.id)) {
        state.join(place);
    }
    changed(place);
}

void Tracker::left(const Place& place) {
    group_of(place.topic).state.leave(place.id);
    changed(place);
}

void Tracker::handle(Flush message) {
    publish(message.group, group(message.group));
}

void Tracker::publish(std::uint8_t index, Group& group) {
    group.flush_due = false;
    group.flushed = now();
    auto read = [this](const Place& place) { return links_.table->read(place); };
    while (group.sent < group.state.clock()) {
        TrackerMessage news{.kind = Kind::news, .group = index, .clock = group.state.clock()};
        Delta delta = group.state.extract({.since = group.sent}, read);
        if (delta.kind == Delta::Kind::changes) {
            group.sent = delta.to;
            news.delta = std::move(delta);
        } else {
            // Too much happened: whoever lacks it will ask.
            group.sent = group.state.clock();
        }
        send(0, std::move(news));
    }
}

void Tracker::send(std::uint64_t node, TrackerMessage message) {
    message.from = id_;
    links_.send(node, encode_tracker_message(message));
}

void Tracker::send_clocks(std::uint64_t node) {
    for (const auto& [index, group] : groups_) {
        if (group.state.clock() == 0) continue;
        send(node, {.kind = Kind::news, .group = index, .clock = group.state.clock()});
    }
}

// --- What others say ---------------------------------------------------------------------------

void Tracker::handle(Receive message) {
    Result<TrackerMessage> decoded = decode_tracker_message(message.bytes);
    if (!decoded) {
        log_warning("another node sent what is no presence", {{"reason", decoded.error()}});
        return;
    }
    if (decoded->group >= groups || decoded->from.name == id_.name) return;
    auto before = peers_.find(decoded->from.name);
    const bool known = before != peers_.end() && before->second.status == Peer::Status::up &&
                       before->second.incarnation == decoded->from.incarnation;
    if (!meet(*decoded, message.node)) return;
    switch (decoded->kind) {
        case Kind::hello:
            send_clocks(message.node);
            return;
        case Kind::goodbye:
            drop(decoded->from.name);
            peers_[decoded->from.name].status = Peer::Status::left;
            return;
        case Kind::request: {
            if (decoded->to != id_) return;
            const PresenceState& state = group(decoded->group).state;
            auto read = [this](const Place& place) { return links_.table->read(place); };
            send(message.node, {.kind = Kind::news,
                                .group = decoded->group,
                                .clock = state.clock(),
                                .delta = state.extract(decoded->request, read)});
            return;
        }
        case Kind::news:
            // It may not know of this node either.
            if (!known) send_clocks(message.node);
            take(*decoded);
            return;
    }
}

/// Null when the message must be ignored: a former life of the node has said it.
Tracker::Peer* Tracker::meet(const TrackerMessage& message, std::uint64_t node) {
    const ReplicaId& from = message.from;
    auto found = peers_.find(from.name);
    if (found == peers_.end()) {
        if (!make_room()) return nullptr;
        found = peers_.emplace(from.name, Peer{.incarnation = from.incarnation}).first;
    }
    Peer& peer = found->second;
    if (peer.status == Peer::Status::left && from.incarnation <= peer.incarnation) return nullptr;
    // Clocks may be set back: who comes after a silence is new, whatever its number.
    if (peer.status == Peer::Status::up && from.incarnation < peer.incarnation) return nullptr;
    if (from.incarnation != peer.incarnation) drop(from.name);
    peer = {.incarnation = from.incarnation, .node = node, .heard = now()};
    return &peer;
}

bool Tracker::make_room() {
    if (peers_.size() < options_.max_nodes) return true;
    auto oldest = peers_.end();
    for (auto peer = peers_.begin(); peer != peers_.end(); ++peer) {
        if (peer->second.status == Peer::Status::up) continue;
        if (oldest == peers_.end() || peer->second.heard < oldest->second.heard) oldest = peer;
    }
    if (oldest == peers_.end()) {
        log_warning("presence knows of too many nodes", {{"nodes", peers_.size()}});
        return false;
    }
    peers_.erase(oldest);
    return true;
}

void Tracker::take(const TrackerMessage& message) {
    Group& group = this->group(message.group);
    Behind& behind = group.behind[message.from.name];
    behind.announced = std::max(behind.announced, message.clock);
    if (message.delta) links_.table->apply(group.state.merge(message.from, *message.delta));
    catch_up(message.group, group, message.from.name);
}

void Tracker::catch_up(std::uint8_t index, Group& group, const std::string& name) {
    auto found = group.behind.find(name);
    auto peer = peers_.find(name);
    if (found == group.behind.end() || peer == peers_.end()) return;
    Behind& behind = found->second;
    const ReplicaId whom{name, peer->second.incarnation};
    const DeltaRequest request = group.state.request_to(whom);
    if (request.since >= behind.announced) {
        group.behind.erase(found);
        return;
    }
    // The same is asked for again only when there was time for an answer.
    const bool asked = behind.asked_at.ns != 0 && behind.asked == request;
    if (asked && now() - behind.asked_at < options_.heartbeat) return;
    behind.asked = request;
    behind.asked_at = now();
    send(peer->second.node,
         {.kind = Kind::request, .group = index, .to = whom, .request = request});
}

std::size_t Tracker::drop(const std::string& name) {
    std::size_t left = 0;
    for (auto& [index, group] : groups_) {
        const std::vector<Place> leaves = group.state.remove(name);
        left += leaves.size();
        links_.table->leave_remote(leaves);
        group.behind.erase(name);
    }
    return left;
}

void Tracker::handle(NodeGone message) {
    std::erase_if(peers_, [&](const auto& entry) {
        if (entry.second.node != message.node || entry.second.status != Peer::Status::up)
            return false;
        drop(entry.first);
        return true;
    });
}

void Tracker::handle(Resync) {
    send(0, {.kind = Kind::hello});
    send_clocks(0);
}

std::size_t Tracker::handle(Nodes) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        peers_, [](const auto& entry) { return entry.second.status == Peer::Status::up; }));
}

// --- Time --------------------------------------------------------------------------------------

void Tracker::handle(Tick) {
    const Duration passed = now() - ticked_;
    ticked_ = now();
    // That this node stood still does not mean that the others were silent.
    if (passed > 2 * options_.heartbeat) {
        for (auto& [name, peer] : peers_) peer.heard += passed - options_.heartbeat;
    }
    // The first hello may have been lost.
    if (std::exchange(first_tick_, false)) send(0, {.kind = Kind::hello});
    for (auto& [index, group] : groups_) {
        if (group.sent < group.state.clock()) publish(index, group);
        const std::uint64_t clock = group.state.clock();
        const bool changed = std::exchange(group.ticked, clock) != clock;
        if (clock != 0 && (changed || ++group.silent >= options_.silent_heartbeats)) {
            group.silent = 0;
            send(0, {.kind = Kind::news, .group = index, .clock = clock});
        }
        for (auto behind = group.behind.begin(); behind != group.behind.end();)
            catch_up(index, group, (behind++)->first);
    }
    look_for_silence();
}

void Tracker::look_for_silence() {
    for (auto entry = peers_.begin(); entry != peers_.end();) {
        auto& [name, peer] = *entry;
        const Duration silence = now() - peer.heard;
        if (peer.status == Peer::Status::up && silence >= options_.down_after) {
            if (const std::size_t left = drop(name); left > 0)
                log_warning("a node is silent; its presences leave",
                            {{"node", name}, {"presences", left}});
            peer.status = Peer::Status::down;
        }
        // Late messages of one that has left do not come for ever.
        const bool over = silence >= options_.forget_after ||
                          (peer.status == Peer::Status::left && silence >= options_.down_after);
        entry = over ? peers_.erase(entry) : std::next(entry);
    }
}

}  // namespace detail

// --- Around it ---------------------------------------------------------------------------------

namespace {

template <typename Message>
void to_tracker(std::uint8_t shard, Message message) {
    post(shard, [message = std::move(message)]() mutable {
        const Pid tracker = shard_local<detail::PresenceTable>().tracker;
        if (tracker) cast(Ref<detail::Tracker>(tracker), std::move(message));
    });
}

template <typename Message>
void to_all_trackers(const Message& message) {
    const pubsub::detail::NodeShards& node = pubsub::detail::node_shards();
    for (std::uint8_t shard = node.first; shard < node.end(); ++shard) to_tracker(shard, message);
}

}  // namespace

bool is_tracker_message(std::string_view bytes) {
    return bytes.starts_with(detail::tracker_version);
}

void receive(std::uint64_t node, std::string_view message) {
    auto head = detail::peek_tracker_message(message);
    if (!head) {
        log_warning("another node sent what is no presence");
        return;
    }
    const detail::Tracker::Receive received{node, std::string(message)};
    using Kind = detail::TrackerMessage::Kind;
    if (head->kind == Kind::hello || head->kind == Kind::goodbye) {
        to_all_trackers(received);
    } else {
        to_tracker(pubsub::detail::node_shards().of(head->group), received);
    }
}

void node_gone(std::uint64_t node) {
    to_all_trackers(detail::Tracker::NodeGone{node});
}

ChildSpec child_trackers(TrackerOptions options, ChildOptions child) {
    // As many as there are shards where the tree is started.
    ChildSpec spec = bennu::detail::make_spec(child, "presence");
    spec.start = [options, child]() -> Task<Result<Pid>> {
        auto each = child_partitions(Partitions<detail::Tracker>::one_per_shard(), child, options);
        co_return co_await each.start();
    };
    return spec;
}

}  // namespace bennu::presence
