#include "apps/assetronics/lib/demo/company.hpp"

#include <algorithm>

#include "apps/assetronics/lib/demo/catalogue.hpp"
#include "apps/assetronics/lib/demo/people.hpp"

namespace assetronics::demo {

using namespace bennu;
using activity::Transaction;
using activity::TransactionType;
using assets::Asset;
using assets::AssetStatus;
using assets::AssignmentType;
using assets::Category;
using assets::Condition;
using employees::Employee;
using employees::EmployeeStatus;

namespace {

constexpr std::chrono::hours day{24};

std::string status_name(AssetStatus status) {
    return std::string(enum_name(status));
}

/// Invents assets one after the other, with what happened to each.
class Inventor {
  public:
    Inventor(Timestamp now, std::uint64_t seed) : now_(now), random_(seed) {
        company_.people = invent_people(now, random_);
        for (const Employee& each : company_.people) {
            if (each.department == "IT" && each.status == EmployeeStatus::active) {
                team_.push_back(each.name);
            }
        }
    }

    Company invent() {
        for (const Employee& person : company_.people) equip(person);
        stock(Category::laptop, 17);
        stock(Category::monitor, 16);
        stock(Category::phone, 8);
        stock(Category::tablet, 7);
        stock(Category::desktop, 10);
        stock(Category::peripheral, 14);
        stock(Category::server, 6);
        stock(Category::network_equipment, 12);
        stock(Category::other, 5);
        std::ranges::sort(company_.history, {}, [](const Transaction& row) {
            return std::pair(row.performed_at, row.id);
        });
        return std::move(company_);
    }

  private:
    /// A new asset that arrived between these ages; its ledger begins.
    Asset& arrive(Category category, int youngest, int oldest) {
        const Product& product = product_of(category, random_);
        Asset asset;
        asset.inserted_at = now_ - day * random_.between(youngest, oldest) -
                            std::chrono::minutes(random_.between(1, 1400));
        asset.id = uuid7(asset.inserted_at, random_);
        std::string number = std::to_string(++counts_[category]);
        number.insert(0, 4 - std::min<std::size_t>(4, number.size()), '0');
        asset.tag = std::string(prefix_of(category)) + "-" + number;
        asset.name = std::string(product.make) + " " + std::string(product.model);
        asset.category = category;
        asset.make = product.make;
        asset.model = product.model;
        asset.serial = serial_of(product, random_);
        asset.purchase_date = date_of(asset.inserted_at) - static_cast<int>(random_.between(2, 12));
        asset.cost = Money{(product.price + random_.between(-40, 60)) * 100 - 1};
        asset.vendor = pick(vendors, random_);
        asset.location = pick(offices, random_);
        asset.warranty_end = *asset.purchase_date + 365 * product.warranty_years;
        asset.condition = Condition::new_;
        asset.updated_at = asset.inserted_at;
        company_.assets.push_back(std::move(asset));
        Asset& made = company_.assets.back();
        note(made, TransactionType::created, made.inserted_at).to_status = "in_stock";
        return made;
    }
    Transaction& note(Asset& asset, TransactionType type, Timestamp at) {
        Transaction row;
        row.id = uuid7(at, random_);
        row.type = type;
        row.asset_id = asset.id;
        row.asset_tag = asset.tag;
        row.asset_name = asset.name;
        row.employee_id = asset.employee_id;
        row.employee_name = asset.employee_name;
        row.performed_by = pick(std::span<const std::string>(team_), random_);
        row.performed_at = at;
        asset.updated_at = std::max(asset.updated_at, at);
        return company_.history.emplace_back(std::move(row));
    }
    /// Some moment between an asset's last change and now.
    Timestamp later(const Asset& asset) {
        const std::int64_t span = std::max<std::int64_t>(2, now_.ms - asset.updated_at.ms);
        return {asset.updated_at.ms + random_.between(1, span - 1)};
    }
    void set_status(Asset& asset, AssetStatus status, std::string why, Timestamp at) {
        Transaction& row = note(asset, TransactionType::status_change, at);
        row.from_status = status_name(asset.status);
        row.to_status = status_name(status);
        row.description = std::move(why);
        asset.status = status;
    }
    void hand_out(Asset& asset, const Employee& person, Timestamp at) {
        const std::string before = status_name(asset.status);
        asset.status = AssetStatus::assigned;
        asset.employee_id = person.id;
        asset.employee_name = person.name;
        asset.assigned_at = at;
        asset.assignment_type =
            random_.chance(0.9) ? AssignmentType::permanent : AssignmentType::loaner;
        if (asset.assignment_type == AssignmentType::loaner) {
            asset.expected_return = date_of(now_) + static_cast<int>(random_.between(-5, 60));
        }
        asset.location = person.location;
        asset.condition = random_.chance(0.7) ? Condition::good : Condition::new_;
        Transaction& row = note(asset, TransactionType::assignment, at);
        row.from_status = before;
        row.to_status = "assigned";
    }
    void take_back(Asset& asset, Timestamp at) {
        Transaction& row = note(asset, TransactionType::return_, at);
        row.from_status = "assigned";
        row.to_status = "in_stock";
        asset.status = AssetStatus::in_stock;
        asset.condition = random_.chance(0.6) ? Condition::good : Condition::fair;
        asset.employee_id.reset();
        asset.employee_name.reset();
        asset.assigned_at.reset();
        asset.assignment_type.reset();
        asset.expected_return.reset();
    }
    void give(const Employee& person, Category category) {
        Asset& asset = arrive(category, 3, 1100);
        // Every fourth one had another holder before.
        if (random_.chance(0.25)) {
            hand_out(asset, company_.people[random_.below(company_.people.size())], later(asset));
            take_back(asset, later(asset));
        }
        hand_out(asset, person, later(asset));
    }
    void equip(const Employee& person) {
        if (person.status == EmployeeStatus::terminated) return;
        const bool factory = person.department == "Manufacturing";
        give(person, factory ? Category::desktop : Category::laptop);
        if (random_.chance(0.75)) give(person, Category::monitor);
        if (!factory && random_.chance(0.55)) give(person, Category::phone);
        if (random_.chance(0.4)) give(person, Category::peripheral);
        if (factory && random_.chance(0.4)) give(person, Category::tablet);
    }
    /// Assets that nobody has: most are in stock, the rest had accidents.
    void stock(Category category, int count) {
        for (int i = 0; i < count; ++i) {
            Asset& asset = arrive(category, 5, 1400);
            asset.condition = random_.chance(0.5) ? Condition::new_ : Condition::good;
            const auto lot = random_.below(100);
            if (lot < 12) {
                order(asset);
            } else if (lot < 18) {
                set_status(asset, AssetStatus::in_transit, "Shipped between offices", later(asset));
            } else if (lot < 30) {
                asset.condition = Condition::damaged;
                set_status(asset, AssetStatus::in_repair, "Does not start any more", later(asset));
            } else if (lot < 42) {
                asset.condition = Condition::poor;
                set_status(asset, AssetStatus::retired, "End of its life", later(asset));
            } else if (lot < 45) {
                set_status(asset, AssetStatus::lost, "Not found in the stocktake", later(asset));
            } else if (lot < 46) {
                set_status(asset, AssetStatus::stolen, "Taken from a car; report filed",
                           later(asset));
            }
        }
    }
    void order(Asset& asset) {
        asset.status = AssetStatus::on_order;
        asset.condition = Condition::new_;
        asset.serial.reset();
        asset.warranty_end.reset();
        company_.history.back().to_status = "on_order";
    }

    Timestamp now_;
    Random random_;
    Company company_;
    std::vector<std::string> team_;
    std::map<Category, int> counts_;
};

}  // namespace

Company invent_company(Timestamp now, std::uint64_t seed) {
    return Inventor(now, seed).invent();
}

}  // namespace assetronics::demo
