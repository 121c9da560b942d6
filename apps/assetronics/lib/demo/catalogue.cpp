#include "apps/assetronics/lib/demo/catalogue.hpp"

#include <vector>

namespace assetronics::demo {

using assets::Category;

namespace {

constexpr Product all_products[] = {
    {Category::laptop, "Lenovo", "ThinkPad X1 Carbon Gen 11", 1849, 3, "PF"},
    {Category::laptop, "Lenovo", "ThinkPad T14 Gen 4", 1399, 3, "PW"},
    {Category::laptop, "Apple", "MacBook Pro 14 M3", 2199, 1, "C02"},
    {Category::laptop, "Apple", "MacBook Air 13 M2", 1299, 1, "FVF"},
    {Category::laptop, "Dell", "Latitude 7440", 1579, 3, "8H"},
    {Category::laptop, "HP", "EliteBook 840 G10", 1449, 3, "5CG"},
    {Category::desktop, "Dell", "OptiPlex 7010 SFF", 949, 3, "9K"},
    {Category::desktop, "HP", "Z2 Tower G9", 2290, 3, "CZC"},
    {Category::desktop, "Apple", "Mac mini M2", 699, 1, "H2W"},
    {Category::monitor, "Dell", "UltraSharp U2723QE", 589, 3, "CN0"},
    {Category::monitor, "LG", "27UP850N", 429, 2, "306"},
    {Category::monitor, "Samsung", "ViewFinity S8 32", 519, 2, "H4Z"},
    {Category::phone, "Apple", "iPhone 15", 799, 1, "F17"},
    {Category::phone, "Google", "Pixel 8", 699, 2, "37X"},
    {Category::phone, "Samsung", "Galaxy S23", 749, 2, "R5C"},
    {Category::tablet, "Apple", "iPad Air 11", 649, 1, "DMP"},
    {Category::tablet, "Samsung", "Galaxy Tab S9", 719, 2, "R9W"},
    {Category::peripheral, "Lenovo", "ThinkPad USB-C Dock Gen 2", 229, 3, "ZDE"},
    {Category::peripheral, "Jabra", "Evolve2 65", 199, 2, "1C8"},
    {Category::peripheral, "Logitech", "MX Master 3S", 99, 2, "213"},
    {Category::peripheral, "Brother", "HL-L6210DW", 349, 1, "E80"},
    {Category::server, "Dell", "PowerEdge R650", 7890, 5, "7M"},
    {Category::server, "HPE", "ProLiant DL380 Gen10", 8450, 5, "CZ2"},
    {Category::network_equipment, "Cisco", "Catalyst 9200L-48P", 4120, 5, "FOC"},
    {Category::network_equipment, "Ubiquiti", "UniFi U6 Pro", 159, 2, "784"},
    {Category::network_equipment, "Fortinet", "FortiGate 60F", 695, 3, "FGT"},
    {Category::other, "APC", "Smart-UPS 1500", 689, 3, "AS2"},
    {Category::other, "Epson", "EB-L260F Projector", 1749, 2, "X8J"},
};

constexpr std::string_view all_vendors[] = {"CDW",        "Bechtle", "Insight",          "SHI",
                                            "Softchoice", "Dustin",  "Direct from maker"};
constexpr std::string_view all_offices[] = {
    "Portland HQ", "Portland Warehouse", "Austin Lab", "Rotterdam", "Gdańsk", "Singapore"};

}  // namespace

const std::span<const std::string_view> vendors = all_vendors;
const std::span<const std::string_view> offices = all_offices;

std::span<const Product> products() {
    return all_products;
}

const Product& product_of(Category category, bennu::Random& random) {
    std::vector<const Product*> fitting;
    for (const Product& each : all_products) {
        if (each.category == category) fitting.push_back(&each);
    }
    return *fitting[random.below(fitting.size())];
}

std::string serial_of(const Product& product, bennu::Random& random) {
    // Without letters that people mistake for digits.
    constexpr std::string_view letters = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    std::string serial(product.serial);
    while (serial.size() < 10) serial += letters[random.below(letters.size())];
    return serial;
}

std::string_view prefix_of(Category category) {
    switch (category) {
        case Category::laptop:
            return "LT";
        case Category::desktop:
            return "DT";
        case Category::monitor:
            return "MN";
        case Category::phone:
            return "PH";
        case Category::tablet:
            return "TB";
        case Category::peripheral:
            return "PE";
        case Category::server:
            return "SV";
        case Category::network_equipment:
            return "NW";
        case Category::other:
            break;
    }
    return "OT";
}

}  // namespace assetronics::demo
