#include <array>
#include <vector>

#include "apps/assetronics/lib/demo/catalogue.hpp"
#include "apps/assetronics/lib/demo/demo.hpp"

namespace assetronics::demo {

using namespace bennu;
using assets::Category;

namespace {

enum Column : std::uint8_t {
    tag,
    name,
    category,
    manufacturer,
    model,
    serial,
    purchase_date,
    cost,
    status,
    condition,
    location,
    warranty,
    supplier,
    notes,
    column_count
};
using Row = std::array<std::string, column_count>;

const Row header = {"Asset Tag", "Asset Name",    "Category",      "Manufacturer",
                    "Model",     "Serial Number", "Purchase Date", "Purchase Cost",
                    "Status",    "Condition",     "Location",      "Warranty Expiration",
                    "Supplier",  "Notes"};

/// What the other tool calls our categories.
std::string_view label_of(Category value) {
    switch (value) {
        case Category::laptop:
            return "Laptop";
        case Category::desktop:
            return "Desktop";
        case Category::monitor:
            return "Monitor";
        case Category::phone:
            return "Mobile Phone";
        case Category::tablet:
            return "Tablet";
        case Category::peripheral:
            return "Peripheral";
        case Category::server:
            return "Server";
        case Category::network_equipment:
            return "Network Equipment";
        case Category::other:
            break;
    }
    return "Other";
}

/// A label and how many in a hundred have it.
struct Share {
    std::string_view label;
    unsigned percent;
};
constexpr Share statuses[] = {{"In Stock", 72},  {"Retired", 11}, {"In Repair", 7}, {"On Order", 4},
                              {"In Transit", 3}, {"Lost", 2},     {"Stolen", 1}};
constexpr Share conditions[] = {
    {"Good", 58}, {"New", 20}, {"Fair", 14}, {"Poor", 5}, {"Damaged", 3}};
constexpr std::string_view remarks[] = {
    "Battery replaced",           "Spare, keep boxed",
    "Screen has a small scratch", "Used by the \"Atlas\" test stand",
    "Second owner, reinstalled",  "Paid by project 4711; see invoice",
    "Für die Messe reserviert",   "Rack 4, unit 12\nlabel on the back"};

template <std::size_t n>
std::string_view by_share(const Share (&shares)[n], Random& random) {
    auto lot = random.below(100);
    for (const Share& each : shares) {
        if (lot < each.percent) return each.label;
        lot -= each.percent;
    }
    return shares[0].label;
}

/// `1,849.00`, as spreadsheets write it.
std::string amount(std::int64_t hundredths) {
    std::string units = std::to_string(hundredths / 100);
    for (std::size_t i = units.size(); i > 3; i -= 3) units.insert(i - 3, ",");
    const std::string cents = std::to_string(hundredths % 100);
    return units + "." + (cents.size() < 2 ? "0" : "") + cents;
}

Row good_row(std::size_t number, Random& random) {
    const Product& product = pick(products(), random);
    const Date bought = *Date::from_civil(2021, 1, 4) + static_cast<int>(random.below(365 * 5));
    Row row;
    row[tag] = "BW-" + std::to_string(100'000 + number);
    row[name] = std::string(product.make) + " " + std::string(product.model);
    row[category] = label_of(product.category);
    row[manufacturer] = product.make;
    row[model] = product.model;
    row[serial] = serial_of(product, random);
    row[purchase_date] = to_string(bought);
    row[cost] = amount((product.price + random.between(-60, 90)) * 100 + random.between(0, 99));
    row[status] = by_share(statuses, random);
    row[condition] = by_share(conditions, random);
    row[location] = pick(offices, random);
    row[warranty] = to_string(bought + 365 * product.warranty_years);
    row[supplier] = pick(vendors, random);
    if (random.chance(0.12)) row[notes] = pick(std::span<const std::string_view>(remarks), random);
    return row;
}

/// The kinds of mistakes, in turn.
void spoil(Row& row, std::size_t kind, std::size_t number) {
    switch (kind % 12) {
        case 0:
            row[tag].clear();
            break;
        case 1:
            row[name].clear();
            break;
        case 2:  // The row before it has this tag.
            row[tag] = "BW-" + std::to_string(100'000 + number - 1);
            break;
        case 3:
            row[tag] = "BW 100 (old)";
            break;
        case 4:
            row[category] = "Coffee Machine";
            break;
        case 5:
            row[status] = "Sleeping";
            break;
        case 6:
            row[condition] = "Haunted";
            break;
        case 7:
            row[purchase_date] = "2024-02-30";
            break;
        case 8:
            row[cost] = "about 900";
            break;
        case 9:
            row[cost] = "-150.00";
            break;
        case 10:
            row[name] = std::string(240, 'x');
            break;
        default:
            row[warranty] = "soon";
            break;
    }
}

void append_row(std::string& out, const Row& row) {
    for (const std::string& cell : row) {
        if (&cell != row.data()) out += ',';
        if (cell.find_first_of(",\"\r\n") == std::string::npos) {
            out += cell;
            continue;
        }
        out += '"';
        for (char c : cell) {
            if (c == '"') out += '"';
            out += c;
        }
        out += '"';
    }
    out += "\r\n";
}

}  // namespace

std::string sample_csv(const SampleOptions& options) {
    Random random(options.seed);
    std::string out;
    append_row(out, header);
    // Mistakes are spread evenly, never in the first row.
    const std::size_t step =
        options.bad_rows > 0 ? std::max<std::size_t>(2, options.rows / options.bad_rows) : 0;
    std::size_t spoilt = 0;
    for (std::size_t i = 0; i < options.rows; ++i) {
        Row row = good_row(i + 1, random);
        if (step > 0 && i % step == step - 1 && spoilt < options.bad_rows) {
            spoil(row, spoilt++, i + 1);
        }
        append_row(out, row);
    }
    return out;
}

}  // namespace assetronics::demo
