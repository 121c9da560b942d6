#include "apps/assetronics/lib/imports/cells.hpp"

#include <gtest/gtest.h>

namespace assetronics::imports::cells_test {

std::string date(std::string_view cell, DateOrder order = DateOrder::month_first) {
    auto read = read_date(cell, order);
    return read ? to_string(*read) : std::string(read.error().code());
}
std::string cost(std::string_view cell) {
    auto read = read_cost(cell);
    return read ? to_string(*read) : std::string(read.error().code());
}

TEST(Dates, in_every_spelling) {
    const std::pair<const char*, const char*> table[] = {
        {"2024-01-31", "2024-01-31"},
        {"2024-1-31", "2024-01-31"},
        {"2024/01/31", "2024-01-31"},
        {"2024.01.31", "2024-01-31"},
        {"2024-01-31 00:00:00", "2024-01-31"},
        {"2024-01-31T10:20:30Z", "2024-01-31"},
        {"31.01.2024", "2024-01-31"},
        {"31.1.24", "2024-01-31"},
        {"1/31/2024", "2024-01-31"},
        {"01/31/2024 12:30 PM", "2024-01-31"},
        {"31/1/2024", "2024-01-31"},
        {"3/4/2024", "2024-03-04"},
        {"3-4-2024", "2024-03-04"},
        {"31 Jan 2024", "2024-01-31"},
        {"31-Jan-24", "2024-01-31"},
        {"31-JAN-2024", "2024-01-31"},
        {"Jan 31, 2024", "2024-01-31"},
        {"January 31, 2024", "2024-01-31"},
        {"Sept 1, 2024", "2024-09-01"},
        {"1/31/69", "2069-01-31"},
        {"1/31/70", "1970-01-31"},
        {"29.02.2024", "2024-02-29"},
        {"2024-02-30", "invalid"},
        {"29.02.2023", "invalid"},
        {"2024-13-01", "invalid"},
        {"13/13/2024", "invalid"},
        {"soon", "invalid"},
        {"45322", "invalid"},
        {"2024-01", "invalid"},
        {"1/2/3/2024", "invalid"},
        {"1/31/02024", "invalid"},
        {"Foo 31, 2024", "invalid"},
        {"", "invalid"},
    };
    for (const auto& [cell, expected] : table) EXPECT_EQ(date(cell), expected) << cell;
}

TEST(Dates, a_files_order_decides_what_one_date_leaves_open) {
    EXPECT_EQ(date("3/4/2024", DateOrder::day_first), "2024-04-03");
    EXPECT_EQ(date("3/4/2024", DateOrder::mixed), "ambiguous");
    EXPECT_EQ(date("4/4/2024", DateOrder::mixed), "2024-04-04");
    EXPECT_EQ(date("3.4.2024", DateOrder::mixed), "2024-04-03");
    EXPECT_EQ(date("25/4/2024", DateOrder::mixed), "2024-04-25");

    const auto decided = [](std::initializer_list<const char*> cells) {
        DateOrderVote vote;
        for (const char* cell : cells) vote.see(cell);
        return vote.decide();
    };
    EXPECT_EQ(decided({}), DateOrder::month_first);
    EXPECT_EQ(decided({"3/4/2024", "2024-01-31"}), DateOrder::month_first);
    EXPECT_EQ(decided({"3/4/2024", "31/1/2024"}), DateOrder::day_first);
    EXPECT_EQ(decided({"3/4/2024", "1/31/2024"}), DateOrder::month_first);
    EXPECT_EQ(decided({"31/1/2024", "1/31/2024"}), DateOrder::mixed);
    EXPECT_EQ(decided({"31.1.2024", "99/99/2024", "junk"}), DateOrder::month_first);
}

TEST(Costs, in_every_spelling) {
    const std::pair<const char*, const char*> table[] = {
        {"1299", "1299"},
        {"1299.5", "1299.5"},
        {"1299.50", "1299.5"},
        {"1299.0000", "1299"},
        {"1,299", "1299"},
        {"1,299.00", "1299"},
        {"1.299,00", "1299"},
        {"1.299", "1299"},
        {"1.234.567,89", "1234567.89"},
        {"1,234,567.89", "1234567.89"},
        {"12,5", "12.5"},
        {"12,50", "12.5"},
        {"1 299,00", "1299"},
        {"1\xC2\xA0"
         "299,00",
         "1299"},
        {"1'299.00", "1299"},
        {"$1,299.50", "1299.5"},
        {"US$ 5", "5"},
        {"€ 5", "5"},
        {"5 €", "5"},
        {"£99.99", "99.99"},
        {"1299 EUR", "1299"},
        {"CHF 1'299", "1299"},
        {"-5", "-5"},
        {"0", "0"},
        {".50", "0.5"},
        {"about 900", "invalid"},
        {"1e5", "invalid"},
        {"12x4", "invalid"},
        {"1EUR5", "invalid"},
        {"1,29,00", "invalid"},
        {"0.125", "invalid"},
        {"12.345,6.7", "invalid"},
        {"$", "invalid"},
        {"(5.00)", "invalid"},
        {"--5", "invalid"},
        {"", "invalid"},
    };
    for (const auto& [cell, expected] : table) EXPECT_EQ(cost(cell), expected) << cell;
}

TEST(Words, of_inventory_tools_are_understood) {
    const std::tuple<std::optional<std::string_view> (*)(std::string_view), const char*,
                     const char*>
        table[] = {
            {read_status, "Ready to Deploy", "in_stock"},
            {read_status, "In Stock", "in_stock"},
            {read_status, "available", "in_stock"},
            {read_status, "Pending", "in_stock"},
            {read_status, "Deployed", "assigned"},
            {read_status, "In use", "assigned"},
            {read_status, "CHECKED OUT", "assigned"},
            {read_status, "On order", "on_order"},
            {read_status, "in_transit", "in_transit"},
            {read_status, "Out for Repair", "in_repair"},
            {read_status, "Archived", "retired"},
            {read_status, "Disposed", "retired"},
            {read_status, "Missing", "lost"},
            {read_status, "Stolen", "stolen"},
            {read_condition, "New", "new"},
            {read_condition, "Excellent", "good"},
            {read_condition, "Fair", "fair"},
            {read_condition, "worn", "fair"},
            {read_condition, "Bad", "poor"},
            {read_condition, "Not working", "damaged"},
            {read_category, "Laptops", "laptop"},
            {read_category, "Notebook", "laptop"},
            {read_category, "Desktop PC", "desktop"},
            {read_category, "Displays", "monitor"},
            {read_category, "Mobile Phones", "phone"},
            {read_category, "iPad", "tablet"},
            {read_category, "Docking Station", "peripheral"},
            {read_category, "Servers", "server"},
            {read_category, "Network Equipment", "network_equipment"},
            {read_category, "Access Point", "network_equipment"},
            {read_category, "Misc.", "other"},
        };
    for (const auto& [read, cell, expected] : table) EXPECT_EQ(read(cell), expected) << cell;
    EXPECT_EQ(read_status("Sleeping"), std::nullopt);
    EXPECT_EQ(read_condition("Haunted"), std::nullopt);
    EXPECT_EQ(read_category("Coffee Machine"), std::nullopt);
    EXPECT_EQ(read_category("---"), std::nullopt);
}

}  // namespace assetronics::imports::cells_test
