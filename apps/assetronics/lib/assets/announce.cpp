#include "apps/assetronics/lib/assets/changes.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace assetronics::assets {

using namespace bennu;

namespace {

Payload event_payload(std::string_view event, const Change& change) {
    if (event == "asset_deleted") return AssetDeleted{change.asset.id};
    if (event == "asset_assigned" || event == "asset_returned")
        return AssetHandedOver{{change.asset}, {change.entry}};
    return AssetChanged{{change.asset}};
}

void tell(const Scope& scope, std::string_view event, const Payload& payload) {
    pubsub::broadcast(scope.topic("assets"), event, payload);
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
        tell(scope, "assets_imported", AssetsImported{static_cast<std::int64_t>(changes.size())});
    } else {
        for (const Change& change : changes) tell(scope, event, event_payload(event, change));
    }
    activity::announce(scope, entries);
}

}  // namespace assetronics::assets
