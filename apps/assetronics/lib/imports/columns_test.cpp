#include "apps/assetronics/lib/imports/columns.hpp"

#include <gtest/gtest.h>

namespace assetronics::imports::columns_test {

std::string matches(const std::vector<std::string>& header) {
    auto map = match_columns(header);
    if (!map) return map.error().describe();
    std::string out;
    for (const ColumnMatch& match : map->matched)
        out += match.column + "=" + std::string(match.field) + " ";
    for (const std::string& column : map->ignored) out += "-" + column + " ";
    return out;
}

TEST(Columns, knows_what_each_field_is_called) {
    const std::pair<std::string_view, std::vector<std::string>> groups[] = {
        {"tag",
         {"tag", "Tag", "Asset Tag", "ASSET_TAG", "asset no", "Asset No.", "Asset #Number",
          "Asset ID", "Inventory Number", "inventory-no", "Property Tag", "Barcode",
          "Equipment Number"}},
        {"description", {"Description", "Asset Description", "Details"}},
        {"category", {"Category", "Asset Type", "AssetTypename", "Device Type", "type", "Class"}},
        {"make", {"Manufacturer", "make", "Brand", "OEM", "Hersteller"}},
        {"model", {"Model", "Model name", "Model No.", "Model Number", "Product", "Device Model"}},
        {"serial",
         {"Serial", "Serial Number", "serial_no", "SerialNumber", "S/N", "Service Tag",
          "Seriennummer"}},
        {"purchase_date",
         {"Purchase Date", "Purchased", "Date Purchased", "Acquisition Date", "Order Date"}},
        {"cost",
         {"Cost", "Purchase Cost", "Price", "purchase_price", "Unit Cost", "Value", "Cost (USD)"}},
        {"vendor", {"Vendor", "Supplier", "Reseller", "Purchased From"}},
        {"location",
         {"Location", "Office", "Site", "Current Location", "Default Location", "Building"}},
        {"warranty_end",
         {"Warranty End", "Warranty Expiration", "Warranty Expires", "warranty_date",
          "Warranty Until"}},
        {"status",
         {"Status", "Asset Status", "State", "Statename", "Status Label", "Lifecycle Stage"}},
        {"condition", {"Condition", "Asset Condition", "Grade"}},
        {"holder", {"Assigned To", "Checked Out To", "User", "Custodian", "Primary User"}},
        {"notes", {"Notes", "Note", "Comments", "Remarks"}},
    };
    for (const auto& [field, names] : groups) {
        for (const std::string& name : names) {
            std::vector<std::string> header{"name", name};
            if (field != "tag") header.emplace_back("Asset Tag");
            auto map = match_columns(header);
            ASSERT_TRUE(map) << name;
            const ColumnMatch* found = map->find(field);
            ASSERT_NE(found, nullptr) << name << " is not " << field;
            EXPECT_EQ(found->column, name);
        }
    }
    for (const char* name :
         {"Name", "Asset Name", "Item Name", "Device Name", "Computer Name", "hostname"}) {
        EXPECT_EQ(matches({"tag", name}), "tag=tag " + std::string(name) + "=name ");
    }
}

TEST(Columns, the_most_specific_name_wins_and_the_rest_is_listed) {
    EXPECT_EQ(
        matches(
            {"Asset ID", "Asset Tag", "Asset Name", "Name", "Default Location", "Location", "EOL"}),
        "Asset Tag=tag Asset Name=name Location=location -Asset ID -Name -Default Location -EOL ");
    EXPECT_EQ(matches({"Name", "Tag", "Name"}), "Name=name Tag=tag -Name ");
    EXPECT_EQ(matches({"", "Tag", "Name"}), "Tag=tag Name=name ");
}

TEST(Columns, a_file_without_tag_or_name_is_refused_with_what_was_found) {
    const auto refused = match_columns({"Serial", "Colour"});
    ASSERT_FALSE(refused);
    ASSERT_EQ(refused.error().fields().size(), 2U);
    EXPECT_EQ(refused.error().fields()[0].field, "tag");
    EXPECT_EQ(refused.error().fields()[0].code, "missing_column");
    EXPECT_TRUE(refused.error().fields()[0].message.contains("it has: Serial, Colour"));
    EXPECT_EQ(refused.error().fields()[1].field, "name");
    const auto no_name = match_columns({"Asset Tag"});
    ASSERT_FALSE(no_name);
    EXPECT_EQ(no_name.error().fields().size(), 1U);
}

}  // namespace assetronics::imports::columns_test
