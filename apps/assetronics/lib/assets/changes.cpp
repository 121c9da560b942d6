#include "apps/assetronics/lib/assets/changes.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"

namespace assetronics::assets {

using namespace bennu;
using activity::Transaction;
using activity::TransactionType;

namespace {

bool is_tag(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return is_ascii_alpha(c) || is_ascii_digit(c) || c == '.' || c == '_' || c == '/' ||
               c == '-';
    });
}

/// Line breaks and tabs are text; other control characters are somebody's mistake.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t' || c == '\r';
    });
}

template <typename M>
Validation<Asset> plain(M Asset::* member) {
    return format(member, is_plain, "must not contain control characters");
}

Changeset<Asset> validated(Changeset<Asset> changes) {
    constexpr Length line{.max = 200};
    constexpr Length text{.max = 2000};
    return std::move(changes).validate(
        required(&Asset::tag, &Asset::name), length(&Asset::tag, {.max = 64}),
        format(&Asset::tag, is_tag, "may have letters, digits and . _ / -"),
        length(&Asset::name, line), length(&Asset::make, line), length(&Asset::model, line),
        length(&Asset::serial, line), length(&Asset::vendor, line), length(&Asset::location, line),
        length(&Asset::description, text), length(&Asset::notes, text),
        range(&Asset::cost, {.min = Money{0}, .max = Money{100'000'000'00}}), plain(&Asset::name),
        plain(&Asset::make), plain(&Asset::model), plain(&Asset::serial), plain(&Asset::vendor),
        plain(&Asset::location), plain(&Asset::description), plain(&Asset::notes));
}

/// The same with null for blank text of optional fields, so that a cleared form field and an absent
/// value are one thing.
Json without_blanks(const Json& params) {
    Json out = params;
    for (JsonMember& member : out.as_object()) {
        const Field* field = record_of<Asset>().find(member.key);
        if (field && field->ops->is_optional() && member.value.is_string() &&
            trim(member.value.as_string()).empty()) {
            member.value = Json();
        }
    }
    return out;
}

Changeset<Asset> cast_asset(Asset present, const Json& params, Spelling spelling) {
    return change(std::move(present), without_blanks(params), editable(),
                  {.from_text = spelling == Spelling::text});
}

Changeset<Asset> searchable(Changeset<Asset> changes) {
    std::string text = search_text(changes.record());
    return std::move(changes).put(&Asset::search, std::move(text));
}

/// Only assigning the asset to somebody makes it assigned.
Changeset<Asset> refuse_assigned(Changeset<Asset> changes) {
    return std::move(changes).add_error(&Asset::status, "assigned",
                                        "is set by assigning the asset to an employee");
}

std::string status_name(AssetStatus status) {
    return std::string(enum_name(status));
}

}  // namespace

const Fields<Asset>& editable() {
    static const Fields<Asset> fields{&Asset::tag,
                                      &Asset::name,
                                      &Asset::description,
                                      &Asset::category,
                                      &Asset::status,
                                      &Asset::condition,
                                      &Asset::make,
                                      &Asset::model,
                                      &Asset::serial,
                                      &Asset::purchase_date,
                                      &Asset::cost,
                                      &Asset::vendor,
                                      &Asset::location,
                                      &Asset::warranty_end,
                                      &Asset::assignment_type,
                                      &Asset::expected_return,
                                      &Asset::notes};
    return fields;
}

const std::vector<std::string_view>& editable_fields() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> list;
        for (const Field* field : editable().list()) list.push_back(field->name);
        return list;
    }();
    return names;
}

std::string search_text(const Asset& asset) {
    std::string text = asset.tag + '\n' + asset.name;
    for (const auto* part : {&asset.serial, &asset.make, &asset.model, &asset.employee_name}) {
        if (*part) text.append("\n").append(**part);
    }
    return to_lower(text);
}

Changeset<Asset> new_asset(const Scope& scope, const Json& params, Spelling spelling) {
    Changeset<Asset> changes =
        validated(cast_asset(Asset{.tenant = scope.tenant}, params, spelling));
    if (changes.get(&Asset::status) == AssetStatus::assigned) {
        changes = refuse_assigned(std::move(changes));
    }
    return searchable(std::move(changes));
}

Result<Changeset<Asset>> changed_asset(Asset present, const Json& params, Spelling spelling) {
    const bool is_out = present.employee_id.has_value();
    Changeset<Asset> changes = validated(cast_asset(std::move(present), params, spelling));
    const AssetStatus status = changes.get(&Asset::status);
    if (changes.changed(&Asset::status) && changes.valid()) {
        if (status == AssetStatus::assigned) {
            changes = refuse_assigned(std::move(changes));
        } else if (is_out && status != AssetStatus::lost && status != AssetStatus::stolen) {
            return Error(ErrorKind::conflict, "assigned",
                         "The asset is assigned; it must be returned before its status changes.");
        }
    }
    return searchable(std::move(changes));
}

Transaction entry(TransactionType type, const Asset& asset) {
    Transaction row;
    row.type = type;
    row.asset_id = asset.id;
    row.asset_tag = asset.tag;
    row.asset_name = asset.name;
    row.employee_id = asset.employee_id;
    row.employee_name = asset.employee_name;
    row.to_status = status_name(asset.status);
    return row;
}

Transaction update_entry(const Asset& before, const Changeset<Asset>& changes) {
    const bool moved = changes.changed(&Asset::status);
    Transaction row =
        entry(moved ? TransactionType::status_change : TransactionType::updated, changes.record());
    row.from_status = status_name(before.status);
    std::string names;
    for (const Field* field : changes.changed_fields()) {
        if (field->name == "search") continue;
        names.append(names.empty() ? "" : ", ").append(field->name);
    }
    row.description = "Changed " + names;
    return row;
}

}  // namespace assetronics::assets
