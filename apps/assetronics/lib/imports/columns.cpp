#include "apps/assetronics/lib/imports/columns.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "bennu/base/ascii.hpp"

namespace assetronics::imports {
namespace {

using bennu::FieldError;

struct Synonyms {
    std::string_view field;
    std::string_view names;  // plain, separated by spaces, the most specific first
};

// From the exports of Snipe-IT, Lansweeper, GLPI, Jamf, Intune, ServiceNow, AssetTiger, and lists
// in spreadsheets.
constexpr Synonyms synonyms[] = {
    {"tag",
     "assettag tag assetnumber assetno assetnr assetid assetcode inventorynumber inventoryno "
     "inventorynr "
     "inventorytag inventoryid inventorycode propertytag propertynumber tagnumber tagno "
     "equipmentnumber equipmentid "
     "barcode itemnumber itemno itemid itemcode ciid assetref inventarnummer"},
    {"name",
     "assetname name itemname devicename computername displayname hostname assettitle "
     "equipmentname title item asset "
     "device machinename netbiosname bezeichnung"},
    {"description",
     "description assetdescription itemdescription shortdescription details desc beschreibung"},
    {"category",
     "category assetcategory categoryname devicecategory assettype assettypename devicetype "
     "itemtype equipmenttype "
     "type class assetclass kind kategorie"},
    {"make",
     "manufacturer make manufacturername brand brandname oem maker devicemanufacturer "
     "systemmanufacturer hersteller"},
    {"model",
     "model modelname assetmodel devicemodel modeldescription productname product modelnumber "
     "modelno modelnr "
     "modelid systemmodel modell"},
    {"serial",
     "serialnumber serial serialno serialnr serialnum sn servicetag assetserial deviceserial "
     "deviceserialnumber "
     "biosserial biosserialnumber systemserialnumber seriennummer"},
    {"purchase_date",
     "purchasedate purchased purchasedon datepurchased dateofpurchase purchasedat buydate bought "
     "acquisitiondate "
     "dateacquired acquired orderdate invoicedate procurementdate kaufdatum"},
    {"cost",
     "purchasecost purchaseprice cost price unitcost unitprice acquisitioncost purchasevalue "
     "originalcost "
     "originalvalue assetcost assetvalue value amount costusd costeur priceusd priceeur kaufpreis "
     "preis"},
    {"vendor",
     "vendor supplier vendorname suppliername reseller seller dealer purchasedfrom boughtfrom "
     "store lieferant"},
    {"location",
     "location locationname currentlocation assetlocation office site sitename building branch "
     "branchoffice "
     "defaultlocation room standort"},
    {"warranty_end",
     "warrantyend warrantyenddate warrantyexpiration warrantyexpirationdate warrantyexpires "
     "warrantyexpiry "
     "warrantyexpirydate warrantyuntil warrantydate warrantyexpired endofwarranty warrantyto "
     "supportend garantieende"},
    {"status",
     "status assetstatus statuslabel statusname state statename assetstate lifecyclestatus "
     "lifecyclestate "
     "deploymentstatus stage lifecyclestage"},
    {"condition", "condition assetcondition physicalcondition grade conditiongrade zustand"},
    {holder_field,
     "assignedto checkedoutto assigneduser assignedtoname assignee assignedtouser checkedouttoname "
     "currentuser user "
     "username owner assetowner employee employeename custodian usedby lastuser primaryuser holder "
     "benutzer"},
    {"notes",
     "notes note comments comment remarks remark memo assetnotes additionalinformation bemerkung"},
};

/// How specific the name is for the field: 0 is best; nothing when it does not mean it.
std::optional<std::size_t> rank(const Synonyms& entry, std::string_view name) {
    std::string_view rest = entry.names;
    for (std::size_t at = 0; !rest.empty(); ++at) {
        const std::size_t space = rest.find(' ');
        if (rest.substr(0, space) == name) return at;
        rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
    }
    return std::nullopt;
}

std::string listed(const std::vector<std::string>& names) {
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < 20; ++i) out += (i > 0 ? ", " : "") + names[i];
    if (names.size() > 20) out += ", …";
    return out.empty() ? "nothing" : out;
}

}  // namespace

std::string plain_name(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (bennu::is_ascii_alpha(c) || bennu::is_ascii_digit(c) || byte >= 0x80)
            out += bennu::ascii_lower(c);
    }
    return out;
}

const ColumnMatch* ColumnMap::find(std::string_view field) const {
    for (const ColumnMatch& match : matched) {
        if (match.field == field) return &match;
    }
    return nullptr;
}

bennu::Result<ColumnMap> match_columns(const std::vector<std::string>& header) {
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    struct Best {
        std::size_t rank = none;
        std::size_t column = 0;
    };
    std::array<Best, std::size(synonyms)> best;
    for (std::size_t column = 0; column < header.size(); ++column) {
        const std::string name = plain_name(header[column]);
        for (std::size_t i = 0; i < std::size(synonyms); ++i) {
            const std::optional<std::size_t> found = rank(synonyms[i], name);
            if (found && *found < best[i].rank) best[i] = {*found, column};
        }
    }
    ColumnMap map;
    map.count = header.size();
    std::vector<bool> taken(header.size());
    for (std::size_t i = 0; i < std::size(synonyms); ++i) {
        if (best[i].rank == none) continue;
        map.matched.push_back({best[i].column, header[best[i].column], synonyms[i].field});
        taken[best[i].column] = true;
    }
    std::ranges::sort(map.matched, {}, &ColumnMatch::index);
    for (std::size_t column = 0; column < header.size(); ++column) {
        if (!taken[column] && !header[column].empty()) map.ignored.push_back(header[column]);
    }

    std::vector<FieldError> missing;
    for (const std::string_view field : {"tag", "name"}) {
        if (map.find(field)) continue;
        const std::string example =
            field == "tag" ? "\"Asset Tag\" or \"Inventory Number\"" : "\"Name\" or \"Asset Name\"";
        missing.push_back(
            {std::string(field), "missing_column",
             "the file has no column for it, such as " + example + "; it has: " + listed(header)});
    }
    if (!missing.empty()) return bennu::Error::invalid(std::move(missing));
    return map;
}

}  // namespace assetronics::imports
