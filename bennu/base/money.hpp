#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu {

/// An amount in hundredths of its currency's unit; exact.
struct Money {
    std::int64_t hundredths = 0;

    auto operator<=>(const Money&) const = default;
    friend Money operator+(Money a, Money b) { return {a.hundredths + b.hundredths}; }
    friend Money operator-(Money a, Money b) { return {a.hundredths - b.hundredths}; }
};

/// Reads what people and spreadsheets write: `1299`, `1299.5`, `1,299.00`, `$1,299.50`, `-5`. More
/// than two decimals, misplaced commas and anything else are refused with code `invalid`.
Result<Money> parse_money(std::string_view text);
/// From JSON numbers; a double with more than two decimals is refused.
Result<Money> money_from(std::int64_t units);
Result<Money> money_from(double units);
/// As a JSON number with at most two decimals: `1299`, `1299.5`, `0.05`, `-3.25`.
std::string to_string(Money money);

}  // namespace bennu
