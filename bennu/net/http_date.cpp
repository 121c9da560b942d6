#include "bennu/net/http_date.hpp"

#include <cstring>

#include "bennu/base/ascii.hpp"

namespace bennu::net {

namespace {

constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

void two_digits(char* at, unsigned value) {
    at[0] = static_cast<char>('0' + value / 10);
    at[1] = static_cast<char>('0' + value % 10);
}

/// Takes the parts of a date off the front of a text; any mismatch makes it fail for good.
struct DateReader {
    std::string_view rest;
    bool ok = true;

    void expect(std::string_view text) {
        ok = ok && rest.starts_with(text);
        if (ok) rest.remove_prefix(text.size());
    }
    unsigned number(std::size_t digits) {
        unsigned value = 0;
        ok = ok && rest.size() >= digits;
        for (std::size_t i = 0; ok && i < digits; ++i) {
            ok = is_ascii_digit(rest[i]);
            value = value * 10 + static_cast<unsigned>(rest[i] - '0');
        }
        if (ok) rest.remove_prefix(digits);
        return value;
    }
    unsigned month() {
        std::size_t at = rest.size() < 3 ? std::string_view::npos : months.find(rest.substr(0, 3));
        ok = ok && at != std::string_view::npos && at % 3 == 0;
        if (ok) rest.remove_prefix(3);
        return static_cast<unsigned>(at / 3 + 1);
    }
    /// Milliseconds since midnight.
    std::int64_t time() {
        unsigned hour = number(2);
        expect(":");
        unsigned minute = number(2);
        expect(":");
        unsigned second = number(2);
        ok = ok && hour < 24 && minute < 60 && second <= 60;
        return (std::int64_t{hour} * 3600 + minute * 60 + second) * 1000;
    }
    bool weekday(std::initializer_list<std::string_view> names) {
        for (std::string_view name : names) {
            if (rest.starts_with(name)) {
                rest.remove_prefix(name.size());
                return true;
            }
        }
        return false;
    }
};

std::optional<Timestamp> put_together(const DateReader& reader, unsigned year, unsigned month,
                                      unsigned day, std::int64_t time) {
    if (!reader.ok || !reader.rest.empty()) return std::nullopt;
    auto date = Date::from_civil(static_cast<int>(year), month, day);
    if (!date) return std::nullopt;
    return Timestamp{start_of(*date).ms + time};
}

std::optional<Timestamp> read_fixed(DateReader reader) {
    reader.expect(", ");
    unsigned day = reader.number(2);
    reader.expect(" ");
    unsigned month = reader.month();
    reader.expect(" ");
    unsigned year = reader.number(4);
    reader.expect(" ");
    std::int64_t time = reader.time();
    reader.expect(" GMT");
    return put_together(reader, year, month, day, time);
}

std::optional<Timestamp> read_rfc850(DateReader reader, Timestamp now) {
    reader.expect(", ");
    unsigned day = reader.number(2);
    reader.expect("-");
    unsigned month = reader.month();
    reader.expect("-");
    auto century = static_cast<unsigned>(date_of(now).year()) / 100 * 100;
    unsigned year = reader.number(2) + century;
    // A date over fifty years ahead lies in the past century.
    if (year > static_cast<unsigned>(date_of(now).year()) + 50) year -= 100;
    reader.expect(" ");
    std::int64_t time = reader.time();
    reader.expect(" GMT");
    return put_together(reader, year, month, day, time);
}

std::optional<Timestamp> read_asctime(DateReader reader) {
    reader.expect(" ");
    unsigned month = reader.month();
    reader.expect(" ");
    bool padded = reader.rest.starts_with(' ');
    if (padded) reader.expect(" ");
    unsigned day = reader.number(padded ? 1 : 2);
    reader.expect(" ");
    std::int64_t time = reader.time();
    reader.expect(" ");
    unsigned year = reader.number(4);
    return put_together(reader, year, month, day, time);
}

}  // namespace

std::string_view HttpDate::at(Timestamp now) {
    auto second =
        std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(now.ms)).count();
    if (second == second_) return {text_.data(), text_.size()};
    second_ = second;
    constexpr std::string_view weekdays = "ThuFriSatSunMonTueWed";  // day 0 was a Thursday
    auto date = date_of(now);
    auto in_day = static_cast<unsigned>((now.ms - start_of(date).ms) / 1000);
    auto weekday = static_cast<unsigned>(((date.days % 7) + 7) % 7);
    char* out = text_.data();
    std::memcpy(out, "Thu, 01 Jan 1970 00:00:00 GMT", text_.size());
    weekdays.copy(out, 3, weekday * 3);
    two_digits(out + 5, date.day());
    months.copy(out + 8, 3, (date.month() - 1) * 3);
    auto year = static_cast<unsigned>(date.year());
    two_digits(out + 12, year / 100 % 100);
    two_digits(out + 14, year % 100);
    two_digits(out + 17, in_day / 3600);
    two_digits(out + 20, in_day / 60 % 60);
    two_digits(out + 23, in_day % 60);
    return {text_.data(), text_.size()};
}

std::optional<Timestamp> parse_http_date(std::string_view text, Timestamp now) {
    DateReader reader{text};
    if (reader.weekday(
            {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}))
        return read_rfc850(reader, now);
    if (!reader.weekday({"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"})) return std::nullopt;
    return reader.rest.starts_with(',') ? read_fixed(reader) : read_asctime(reader);
}

}  // namespace bennu::net
