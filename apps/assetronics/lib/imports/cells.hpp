#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/money.hpp"
#include "bennu/base/time.hpp"

namespace assetronics::imports {

/// How a file writes dates with slashes or hyphens, as in 03/04/2024: nothing in one such date may
/// say, so the whole file decides. `month_first` unless some first number is over 12; `mixed` when
/// both orders occur.
enum class DateOrder : std::uint8_t { month_first, day_first, mixed };

/// Watches the dates of a file and decides.
class DateOrderVote {
  public:
    void see(std::string_view cell);
    DateOrder decide() const;

  private:
    bool month_first_ = false;
    bool day_first_ = false;
};

/// `2024-01-31`, `2024/1/31`, `31.1.2024`, `1/31/2024` and `31/1/2024` by the order, `31 Jan 2024`,
/// `31-Jan-24`, `January 31, 2024`; a time of day after it is passed over. Years of two digits: 00
/// to 69 are 20xx. Errors: code `invalid`, and `ambiguous` for a date that a mixed file leaves
/// open.
bennu::Result<bennu::Date> read_date(std::string_view cell, DateOrder order);

/// `1299`, `1,299.00`, `1.299,00`, `1 299,00`, `1'299.00`, `$1,299`, `1299 EUR`, `US$ 5`. Of two
/// kinds of separator the last is the decimal one; a single separator before exactly three digits
/// stands between thousands. Zeros past the second decimal are dropped. Code `invalid`.
bennu::Result<bennu::Money> read_cost(std::string_view cell);

/// The name that the API uses for what an inventory tool calls it (`Ready to Deploy` is `in_stock`,
/// `Deployed` is `assigned`); nothing when it is unknown.
std::optional<std::string_view> read_status(std::string_view cell);
std::optional<std::string_view> read_condition(std::string_view cell);
std::optional<std::string_view> read_category(std::string_view cell);

}  // namespace assetronics::imports
