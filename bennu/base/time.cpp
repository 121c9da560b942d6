#include "bennu/base/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "bennu/base/ascii.hpp"

namespace bennu {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t first_ms = -62'167'219'200'000;  // 0000-01-01T00:00:00Z
constexpr std::int64_t last_ms = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z

year_month_day civil(Date date) {
    return year_month_day(sys_days(std::chrono::days(date.days)));
}

void append_padded(std::string& out, std::int64_t value, int width) {
    char digits[20];
    for (int i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
    out.append(digits, static_cast<std::size_t>(width));
}

/// Reads exactly `width` digits off the front; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t width) {
    if (text.size() < width) return -1;
    int value = 0;
    for (const char c : text.substr(0, width)) {
        if (!is_ascii_digit(c)) return -1;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(width);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<Date> take_date(std::string_view& text) {
    const int year = take_digits(text, 4);
    if (year < 0 || !take(text, "-")) return std::nullopt;
    const int month = take_digits(text, 2);
    if (month < 0 || !take(text, "-")) return std::nullopt;
    const int day = take_digits(text, 2);
    if (day < 0) return std::nullopt;
    return Date::from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
}

/// Milliseconds of the day; a leap second reads as :59.
std::optional<std::int64_t> take_time(std::string_view& text) {
    const int hour = take_digits(text, 2);
    if (hour < 0 || hour > 23 || !take(text, ":")) return std::nullopt;
    const int minute = take_digits(text, 2);
    if (minute < 0 || minute > 59 || !take(text, ":")) return std::nullopt;
    const int second = take_digits(text, 2);
    if (second < 0 || second > 60) return std::nullopt;
    std::int64_t ms = ((hour * 60 + minute) * 60 + std::min(second, 59)) * std::int64_t{1000};
    if (!take(text, ".")) return ms;
    int scale = 100;
    std::size_t digits = 0;
    for (; !text.empty() && is_ascii_digit(text.front()); ++digits, scale /= 10) {
        ms += (text.front() - '0') * scale;
        text.remove_prefix(1);
    }
    if (digits < 1 || digits > 9) return std::nullopt;
    return ms;
}

/// The offset from UTC in milliseconds.
std::optional<std::int64_t> take_offset(std::string_view& text) {
    if (take(text, "Zz")) return 0;
    const bool west = text.starts_with('-');
    if (!take(text, "+-")) return std::nullopt;
    const int hours = take_digits(text, 2);
    if (hours < 0 || hours > 23 || !take(text, ":")) return std::nullopt;
    const int minutes = take_digits(text, 2);
    if (minutes < 0 || minutes > 59) return std::nullopt;
    return (hours * 60 + minutes) * std::int64_t{60'000} * (west ? -1 : 1);
}

struct Unit {
    std::string_view name;
    std::int64_t ns;
};
constexpr std::array<Unit, 7> units{{{"d", 86'400'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};

}  // namespace

std::optional<Date> Date::from_civil(int year, unsigned month, unsigned day) {
    const year_month_day ymd{std::chrono::year(year), std::chrono::month(month),
                             std::chrono::day(day)};
    if (year < 0 || year > 9999 || !ymd.ok()) return std::nullopt;
    return Date{static_cast<std::int32_t>(sys_days(ymd).time_since_epoch().count())};
}

int Date::year() const {
    return static_cast<int>(civil(*this).year());
}
unsigned Date::month() const {
    return static_cast<unsigned>(civil(*this).month());
}
unsigned Date::day() const {
    return static_cast<unsigned>(civil(*this).day());
}

Date date_of(Timestamp at) {
    const std::int64_t day = (at.ms >= 0 ? at.ms : at.ms - (day_ms - 1)) / day_ms;
    return {static_cast<std::int32_t>(day)};
}

Timestamp start_of(Date date) {
    return {date.days * day_ms};
}

Timestamp system_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::floor<std::chrono::milliseconds>(now).count()};
}

std::string to_string(Date date) {
    const Date clamped{std::clamp(date.days, static_cast<std::int32_t>(first_ms / day_ms),
                                  static_cast<std::int32_t>(last_ms / day_ms))};
    const year_month_day ymd = civil(clamped);
    std::string out;
    append_padded(out, static_cast<int>(ymd.year()), 4);
    out += '-';
    append_padded(out, static_cast<unsigned>(ymd.month()), 2);
    out += '-';
    append_padded(out, static_cast<unsigned>(ymd.day()), 2);
    return out;
}

std::string to_string(Timestamp at) {
    at.ms = std::clamp(at.ms, first_ms, last_ms);
    const Date date = date_of(at);
    const std::int64_t ms = at.ms - start_of(date).ms;
    std::string out = to_string(date);
    out += 'T';
    append_padded(out, ms / 3'600'000, 2);
    out += ':';
    append_padded(out, ms / 60'000 % 60, 2);
    out += ':';
    append_padded(out, ms / 1000 % 60, 2);
    out += '.';
    append_padded(out, ms % 1000, 3);
    out += 'Z';
    return out;
}

Result<Date> parse_date(std::string_view text) {
    const std::optional<Date> date = take_date(text);
    if (!date || !text.empty()) {
        return Error(ErrorKind::invalid, "invalid", "must be a date such as 2026-01-31");
    }
    return *date;
}

Result<Timestamp> parse_timestamp(std::string_view text) {
    const Error bad(ErrorKind::invalid, "invalid", "must be a time such as 2026-01-31T09:05:00Z");
    const std::optional<Date> date = take_date(text);
    if (!date || !take(text, "Tt")) return bad;
    const std::optional<std::int64_t> time = take_time(text);
    if (!time) return bad;
    const std::optional<std::int64_t> offset = take_offset(text);
    if (!offset || !text.empty()) return bad;
    return Timestamp{start_of(*date).ms + *time - *offset};
}

Result<Duration> parse_duration(std::string_view text) {
    const Error bad(ErrorKind::invalid, "invalid", "must be a duration such as 250ms, 30s or 5m");
    double amount = 0;
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
    if (failure != std::errc() || !(amount >= 0) || !is_ascii_digit(text.front())) return bad;
    const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Unit& unit : units) {
        if (unit.name != name) continue;
        const double ns = amount * static_cast<double>(unit.ns);
        if (ns >= 9.2e18) return bad;
        // Whole amounts stay exact; doubles hold only 53 bits.
        if (amount < 9e15 && amount == static_cast<double>(static_cast<std::int64_t>(amount))) {
            return Duration(static_cast<std::int64_t>(amount) * unit.ns);
        }
        return Duration(static_cast<std::int64_t>(ns + 0.5));
    }
    return bad;
}

std::string to_string(Duration duration) {
    const std::int64_t ns = duration.count();
    if (ns == 0) return "0s";
    for (const Unit& unit : units) {
        if (ns % unit.ns == 0) return std::to_string(ns / unit.ns).append(unit.name);
    }
    return std::to_string(ns).append("ns");
}

}  // namespace bennu
