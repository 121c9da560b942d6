#include "apps/assetronics/lib/assets/changes.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace assetronics::assets {

using namespace bennu;

namespace {

/// A chunk with more changes than this is told as one event, so that it does not flood browsers.
constexpr std::size_t few = 100;

std::string event_payload(std::string_view event, const Change& change) {
    std::string out;
    if (event == "asset_deleted") {
        out += "{\"id\":\"";
        append_id(out, change.asset.id);
        return out += "\"}";
    }
    out += "{\"asset\":";
    write_public(out, change.asset);
    if (event == "asset_assigned" || event == "asset_returned") {
        out += ",\"transaction\":";
        write_public(out, change.entry);
    }
    return out += '}';
}

void tell(const Scope& scope, std::string_view event, std::string payload) {
    pubsub::broadcast(scope.topic("assets"), event, Payload::from_text(std::move(payload)));
}

}  // namespace

void announce(const Scope& scope, std::string_view event, const Change& change) {
    tell(scope, event, event_payload(event, change));
    activity::announce(scope, {change.entry});
}

void announce_all(const Scope& scope, std::string_view event, const std::vector<Change>& changes) {
    if (changes.empty()) return;
    std::vector<activity::Transaction> entries;
    entries.reserve(changes.size());
    for (const Change& change : changes) entries.push_back(change.entry);
    if (changes.size() > few) {
        tell(scope, "assets_imported", "{\"count\":" + std::to_string(changes.size()) + "}");
    } else {
        for (const Change& change : changes) tell(scope, event, event_payload(event, change));
    }
    activity::announce(scope, entries);
}

}  // namespace assetronics::assets
