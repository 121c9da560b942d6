#pragma once

#include "apps/assetronics/lib/assets/assets.hpp"

// Private to this context: how input becomes a valid change of one asset, and what is told of it.
namespace assetronics::assets {

/// The fields that input may set.
const bennu::Fields<Asset>& editable();

/// How the input spells its values.
enum class Spelling : std::uint8_t { json, text };

/// The changeset of a new asset.
bennu::Changeset<Asset> new_asset(const Scope& scope, const Json& params,
                                  Spelling spelling = Spelling::json);
/// The changeset of a present one; `conflict` when its status may not be changed to that.
Result<bennu::Changeset<Asset>> changed_asset(Asset present, const Json& params,
                                              Spelling spelling = Spelling::json);

/// What `q` looks in.
std::string search_text(const Asset& asset);

/// The ledger row of a change to this asset.
activity::Transaction entry(activity::TransactionType type, const Asset& asset);
/// `updated`, or `status_change` when the status is another now; its description names the fields.
activity::Transaction update_entry(const Asset& before, const bennu::Changeset<Asset>& changes);

/// One committed change.
struct Change {
    Asset asset;
    activity::Transaction entry;
};
/// Broadcasts `event` {"asset"} ("asset_deleted": {"id"}), and the ledger row. Call it after the
/// commit.
void announce(const Scope& scope, std::string_view event, const Change& change);
/// The same for one chunk: a few are told one by one, more as one `assets_imported`.
void announce_all(const Scope& scope, std::string_view event, const std::vector<Change>& changes);
/// Tells the viewers of `employees:<tenant>` how many assets those have by now who have, or had,
/// the assets that changed hands. Call it after the commit; it reads them.
Task<> announce_holders(Scope scope, const std::vector<Change>& changes);
/// A chunk with more changes than this is told as one event, so that it does not flood browsers.
inline constexpr std::size_t few = 100;
inline constexpr std::size_t chunk_size = 1000;
inline constexpr bennu::TransactionOptions chunk_deadline{.deadline = std::chrono::seconds(30)};

}  // namespace assetronics::assets
