#include "bennu/base/money.hpp"

#include <cmath>
#include <limits>

#include "bennu/base/ascii.hpp"

namespace bennu {
namespace {

Error bad_money() {
    return Error(ErrorKind::invalid, "invalid", "must be an amount such as 1299.50");
}
Error too_precise() {
    return Error(ErrorKind::invalid, "invalid", "must have at most two decimals");
}
Error too_big() {
    return Error(ErrorKind::invalid, "out_of_range", "is too large");
}

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

}  // namespace

Result<Money> parse_money(std::string_view text) {
    text = trim(text);
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.starts_with('$')) text.remove_prefix(1);

    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view decimals =
        point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
    if (point != std::string_view::npos && decimals.empty()) return bad_money();

    const std::size_t comma = whole.find(',');
    const std::size_t lead = comma == std::string_view::npos ? whole.size() : comma;
    if (lead == 0 || (lead > 3 && lead != whole.size())) return bad_money();
    if (lead != whole.size() && (whole.size() - lead) % 4 != 0) return bad_money();

    std::int64_t amount = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        if (i >= lead && (i - lead) % 4 == 0) {
            if (whole[i] != ',') return bad_money();
            continue;
        }
        if (!is_ascii_digit(whole[i])) return bad_money();
        amount = amount * 10 + (whole[i] - '0');
        if (amount >= most / 100) return too_big();
    }
    for (const char c : decimals) {
        if (!is_ascii_digit(c)) return bad_money();
    }
    if (decimals.size() > 2) return too_precise();
    amount *= 100;
    if (!decimals.empty()) amount += (decimals[0] - '0') * 10;
    if (decimals.size() == 2) amount += decimals[1] - '0';
    return Money{negative ? -amount : amount};
}

Result<Money> money_from(std::int64_t units) {
    if (units > most / 100 || units < -(most / 100)) return too_big();
    return Money{units * 100};
}

Result<Money> money_from(double units) {
    // Past 2^53 hundredths a double no longer tells neighbouring amounts apart.
    if (!(std::fabs(units) <= 9e13)) return too_big();
    const double hundredths = std::round(units * 100);
    // The nearest double to a two-decimal number is that number; anything else was more precise.
    if (hundredths / 100 != units) return too_precise();
    return Money{static_cast<std::int64_t>(hundredths)};
}

std::string to_string(Money money) {
    std::uint64_t rest = money.hundredths < 0 ? 0 - static_cast<std::uint64_t>(money.hundredths)
                                              : static_cast<std::uint64_t>(money.hundredths);
    std::string out = money.hundredths < 0 ? "-" : "";
    out += std::to_string(rest / 100);
    rest %= 100;
    if (rest == 0) return out;
    out += '.';
    out += static_cast<char>('0' + rest / 10);
    if (rest % 10 != 0) out += static_cast<char>('0' + rest % 10);
    return out;
}

}  // namespace bennu
