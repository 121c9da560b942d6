#pragma once

#include <span>
#include <string>
#include <string_view>

#include "apps/assetronics/lib/assets/assets.hpp"
#include "bennu/base/random.hpp"

// Private to this context: what an invented company buys, and from whom.
namespace assetronics::demo {

struct Product {
    assets::Category category;
    std::string_view make;
    std::string_view model;
    int price;  ///< whole units of the currency
    int warranty_years;
    std::string_view serial;  ///< how serial numbers begin
};

std::span<const Product> products();
/// One of a category.
const Product& product_of(assets::Category category, bennu::Random& random);
/// `ThinkPad X1 Carbon` with a serial number such as `PF3K9Q2M`.
std::string serial_of(const Product& product, bennu::Random& random);
/// `LT`, `MN`: how tags of the category begin.
std::string_view prefix_of(assets::Category category);

extern const std::span<const std::string_view> vendors;
extern const std::span<const std::string_view> offices;

template <typename T>
const T& pick(std::span<const T> list, bennu::Random& random) {
    return list[random.below(list.size())];
}

}  // namespace assetronics::demo
