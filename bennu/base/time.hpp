#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu {

using Duration = std::chrono::nanoseconds;

/// A point on the runtime's monotonic clock, in nanoseconds from an arbitrary start. For deadlines
/// and measurements, never for dates; it is virtual in the simulator.
struct Instant {
    std::int64_t ns = 0;

    static constexpr Instant max() { return {INT64_MAX}; }
    constexpr auto operator<=>(const Instant&) const = default;
    friend constexpr Instant operator+(Instant at, Duration d) { return {at.ns + d.count()}; }
    friend constexpr Instant operator-(Instant at, Duration d) { return {at.ns - d.count()}; }
    friend constexpr Duration operator-(Instant a, Instant b) { return Duration(a.ns - b.ns); }
    constexpr Instant& operator+=(Duration d) { return *this = *this + d; }
};

/// A moment of wall-clock time: milliseconds since 1970-01-01T00:00:00Z.
struct Timestamp {
    std::int64_t ms = 0;

    constexpr auto operator<=>(const Timestamp&) const = default;
    friend constexpr Timestamp operator+(Timestamp at, Duration d) {
        return {at.ms + std::chrono::floor<std::chrono::milliseconds>(d).count()};
    }
    friend constexpr Timestamp operator-(Timestamp at, Duration d) {
        return {at.ms - std::chrono::floor<std::chrono::milliseconds>(d).count()};
    }
    friend constexpr Duration operator-(Timestamp a, Timestamp b) {
        return std::chrono::milliseconds(a.ms - b.ms);
    }
};

/// A calendar day (proleptic Gregorian, no time zone): days since 1970-01-01.
struct Date {
    std::int32_t days = 0;

    /// Nothing when there is no such day; years 0000 to 9999.
    static std::optional<Date> from_civil(int year, unsigned month, unsigned day);
    int year() const;
    unsigned month() const;
    unsigned day() const;

    constexpr auto operator<=>(const Date&) const = default;
    friend constexpr Date operator+(Date date, int days) { return {date.days + days}; }
    friend constexpr Date operator-(Date date, int days) { return {date.days - days}; }
    friend constexpr int operator-(Date a, Date b) { return a.days - b.days; }
};

/// The day of a moment in UTC, and the first moment of a day.
Date date_of(Timestamp at);
Timestamp start_of(Date date);

/// Wall-clock time of this machine, for command-line tools and log lines. Code inside the runtime
/// asks the runtime, which owns time.
Timestamp system_now();

/// `2026-01-31T09:05:00.123Z`; always UTC with milliseconds, years 0000 to 9999 (others are
/// clamped).
std::string to_string(Timestamp at);
/// `2026-01-31`.
std::string to_string(Date date);
/// Strict RFC 3339: any offset, up to nine digits of fraction (cut to milliseconds), a leap second
/// reads as :59.
Result<Timestamp> parse_timestamp(std::string_view text);
/// Strict `YYYY-MM-DD`.
Result<Date> parse_date(std::string_view text);

/// Durations as configuration writes them: `250ms`, `30s`, `5m`, `2h`, `7d`, `1.5s`, also `10us`
/// and `10ns`. Printing picks the largest unit that stays whole.
Result<Duration> parse_duration(std::string_view text);
std::string to_string(Duration duration);

}  // namespace bennu
