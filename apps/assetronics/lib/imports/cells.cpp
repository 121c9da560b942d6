#include "apps/assetronics/lib/imports/cells.hpp"

#include <array>
#include <vector>

#include "bennu/base/ascii.hpp"

namespace assetronics::imports {
namespace {

using namespace bennu;

Error bad_date() {
    return Error(ErrorKind::invalid, "invalid", "must be a date such as 2024-01-31");
}
Error bad_cost() {
    return Error(ErrorKind::invalid, "invalid", "must be an amount such as 1299.50");
}

/// A date's three parts: numbers, or a month by its name.
struct DateParts {
    struct Part {
        int value = 0;
        std::size_t digits = 0;  // 0: a month's name
    };
    std::array<Part, 3> parts;
    char separator = 0;  // between the first two
};

int month_of(std::string_view word) {
    constexpr std::string_view names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
    constexpr std::string_view full[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
    const std::string lower = to_lower(word);
    for (int i = 0; i < 12; ++i) {
        if (lower == names[i] || lower == full[i] || (i == 8 && lower == "sept")) return i + 1;
    }
    return 0;
}

/// The date without what follows it (`T00:00:00Z`, ` 00:00`, ` 12:30 PM`).
std::string_view without_time(std::string_view cell) {
    cell = trim(cell);
    const std::size_t colon = cell.find(':');
    if (colon == std::string_view::npos) return cell;
    const std::size_t before = cell.substr(0, colon).find_last_of(" T");
    return before == std::string_view::npos ? cell : trim(cell.substr(0, before));
}

std::optional<DateParts> split_date(std::string_view cell) {
    DateParts date;
    std::size_t count = 0;
    std::string_view rest = without_time(cell);
    while (!rest.empty()) {
        if (count == 3) return std::nullopt;
        std::size_t size = 0;
        const bool digits = is_ascii_digit(rest[0]);
        while (size < rest.size() &&
               (digits ? is_ascii_digit(rest[size]) : is_ascii_alpha(rest[size])))
            ++size;
        if (size == 0 || size > 9 || (digits && size > 4)) return std::nullopt;
        auto& part = date.parts[count++];
        if (digits) {
            part.digits = size;
            for (const char c : rest.substr(0, size)) part.value = part.value * 10 + (c - '0');
        } else {
            part.value = month_of(rest.substr(0, size));
            if (part.value == 0) return std::nullopt;
        }
        rest.remove_prefix(size);
        if (rest.empty()) break;
        const std::size_t gap = rest.find_first_not_of("-/., ");
        if (gap == 0 || gap > 2 || gap == std::string_view::npos) return std::nullopt;
        if (count == 1) date.separator = rest[0];
        rest.remove_prefix(gap);
    }
    if (count != 3) return std::nullopt;
    return date;
}

/// Whether the order of day and month is the file's to decide.
bool open_order(const DateParts& date) {
    return (date.separator == '/' || date.separator == '-') && date.parts[0].digits > 0 &&
           date.parts[0].digits <= 2 && date.parts[1].digits > 0;
}

Result<Date> make_date(DateParts::Part year, int month, int day) {
    if (year.digits != 2 && year.digits != 4) return bad_date();
    const int full = year.digits == 4 ? year.value : year.value + (year.value < 70 ? 2000 : 1900);
    if (month < 1 || month > 12 || day < 1 || full < 1900) return bad_date();
    const std::optional<Date> date =
        Date::from_civil(full, static_cast<unsigned>(month), static_cast<unsigned>(day));
    if (!date) return bad_date();
    return *date;
}

/// Groups of thousands: `1,299,000`; the first has one to three digits, the others three.
bool grouped(std::string_view text, char separator) {
    std::size_t at = text.find(separator);
    if (at == 0 || at > 3) return false;
    while (at != std::string_view::npos) {
        const std::size_t next = text.find(separator, at + 1);
        const std::size_t size = (next == std::string_view::npos ? text.size() : next) - at - 1;
        if (size != 3) return false;
        at = next;
    }
    return true;
}

/// Without currency signs and codes around the number, and without spaces and apostrophes in it.
/// Empty when something else is there.
std::string bare_amount(std::string_view cell) {
    constexpr std::string_view signs[] = {"US$",          "$", "€", "£", "¥", "₹", "\xC2\xA0",
                                          "\xE2\x80\xAF", "’"};
    std::string out;
    std::size_t letters = 0;
    bool digits = false;
    cell = trim(cell);
    while (!cell.empty()) {
        bool sign = false;
        for (const std::string_view each : signs) {
            if (!cell.starts_with(each)) continue;
            cell.remove_prefix(each.size());
            sign = true;
            break;
        }
        if (sign) continue;
        const char c = cell[0];
        cell.remove_prefix(1);
        if (is_ascii_alpha(c)) {
            if (++letters > 3) return {};
        } else if (c == ' ' || (c == '\'' && digits)) {
            continue;
        } else if (is_ascii_digit(c) || c == '.' || c == ',' || (c == '-' && out.empty())) {
            digits = digits || is_ascii_digit(c);
            out += c;
        } else {
            return {};
        }
    }
    // A letter within the number (`1e5`, `12x4`) is no currency; those of one stand together at an
    // end.
    if (letters != 0 && letters != 3) return {};
    return digits ? out : std::string();
}

bool letters_at_one_end(std::string_view cell) {
    const auto letter = [](char c) { return is_ascii_alpha(c); };
    const auto digit = [](char c) { return is_ascii_digit(c); };
    const auto first_letter = std::ranges::find_if(cell, letter);
    if (first_letter == cell.end()) return true;
    const auto first_digit = std::ranges::find_if(cell, digit);
    const std::size_t last_digit = cell.find_last_of("0123456789");
    const std::size_t last_letter =
        cell.find_last_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    const auto place = [&](auto at) { return static_cast<std::size_t>(at - cell.begin()); };
    return last_letter < place(first_digit) || place(first_letter) > last_digit;
}

}  // namespace

void DateOrderVote::see(std::string_view cell) {
    const std::optional<DateParts> date = split_date(cell);
    if (!date || !open_order(*date)) return;
    day_first_ = day_first_ || (date->parts[0].value > 12 && date->parts[1].value <= 12);
    month_first_ = month_first_ || (date->parts[1].value > 12 && date->parts[0].value <= 12);
}

DateOrder DateOrderVote::decide() const {
    if (day_first_ && month_first_) return DateOrder::mixed;
    return day_first_ ? DateOrder::day_first : DateOrder::month_first;
}

Result<Date> read_date(std::string_view cell, DateOrder order) {
    const std::optional<DateParts> date = split_date(cell);
    if (!date) return bad_date();
    const auto& [a, b, c] = date->parts;
    if (a.digits == 4) {  // 2024-01-31, 2024/1/31, 2024 Jan 31
        return c.digits > 0 && c.digits <= 2 ? make_date(a, b.value, c.value)
                                             : Result<Date>(bad_date());
    }
    if (a.digits == 0)
        return b.digits > 0 ? make_date(c, a.value, b.value)
                            : Result<Date>(bad_date());  // Jan 31, 2024
    if (a.digits > 2) return bad_date();
    if (b.digits == 0) return make_date(c, b.value, a.value);  // 31 Jan 2024
    if (b.digits > 2) return bad_date();
    if (!open_order(*date))
        return date->separator == '.' ? make_date(c, b.value, a.value) : Result<Date>(bad_date());
    if (a.value > 12) return make_date(c, b.value, a.value);
    if (b.value > 12) return make_date(c, a.value, b.value);
    if (order == DateOrder::mixed && a.value != b.value) {
        return Error(ErrorKind::invalid, "ambiguous",
                     "may be day or month first, and the file has both; write it as 2024-01-31");
    }
    return order == DateOrder::day_first ? make_date(c, b.value, a.value)
                                         : make_date(c, a.value, b.value);
}

Result<Money> read_cost(std::string_view cell) {
    std::string number = letters_at_one_end(cell) ? bare_amount(cell) : std::string();
    if (number.empty()) return bad_cost();
    const std::size_t comma = number.rfind(',');
    const std::size_t point = number.rfind('.');
    char decimal = 0;
    if (comma != std::string::npos && point != std::string::npos) {
        decimal = comma > point ? ',' : '.';
    } else if (comma != std::string::npos || point != std::string::npos) {
        const char only = comma != std::string::npos ? ',' : '.';
        const std::string_view unsigned_number =
            std::string_view(number).substr(number.starts_with('-') ? 1 : 0);
        const bool thousands = grouped(unsigned_number, only) && !unsigned_number.starts_with('0');
        decimal = thousands ? '\0' : only;
    }
    const std::size_t split = decimal ? number.rfind(decimal) : std::string::npos;
    std::string whole = number.substr(0, split);
    std::string decimals = split == std::string::npos ? std::string() : number.substr(split + 1);
    const char thousands = decimal == ',' ? '.' : ',';
    const bool negative = whole.starts_with('-');
    if (negative) whole.erase(0, 1);
    for (const char separator : {thousands, '.', ','}) {
        if (separator == decimal || !whole.contains(separator)) continue;
        if (!grouped(whole, separator)) return bad_cost();
        std::erase(whole, separator);
    }
    if (whole.empty()) whole = "0";
    while (decimals.size() > 2 && decimals.ends_with('0')) decimals.pop_back();
    return parse_money((negative ? "-" : "") + whole + (decimals.empty() ? "" : "." + decimals));
}

}  // namespace assetronics::imports
