#include "bennu/base/time.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

#include "bennu/base/id.hpp"
#include "bennu/base/money.hpp"

namespace bennu {
namespace time_tests {

using namespace std::chrono_literals;

std::int64_t ms_of(std::string_view text) {
    const Result<Timestamp> at = parse_timestamp(text);
    return at ? at->ms : -1;
}

TEST(Time, ReadsRfc3339) {
    EXPECT_EQ(ms_of("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(ms_of("2026-01-31T09:05:00.1239Z"), 1769850300123);
    EXPECT_EQ(ms_of("2026-01-31t09:05:00z"), 1769850300000);
    EXPECT_EQ(ms_of("2026-01-31T10:05:00+01:00"), ms_of("2026-01-31T09:05:00Z"));
    EXPECT_EQ(ms_of("2026-01-31T04:35:00-04:30"), ms_of("2026-01-31T09:05:00Z"));
    EXPECT_EQ(ms_of("1990-12-31T23:59:60Z"), ms_of("1990-12-31T23:59:59Z"));
    EXPECT_EQ(to_string(Timestamp{1769850300123}), "2026-01-31T09:05:00.123Z");
    EXPECT_EQ(to_string(Timestamp{-1}), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(to_string(Timestamp{INT64_MAX}), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(to_string(Timestamp{INT64_MIN}), "0000-01-01T00:00:00.000Z");
}

TEST(Time, RefusesWhatIsNotRfc3339) {
    for (const char* text :
         {"", "2026-01-31", "2026-01-31T09:05Z", "2026-01-31T09:05:00", "2026-01-31 09:05:00Z",
          "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
          "2026-01-31T24:00:00Z", "2026-01-31T00:60:00Z", "2026-01-31T00:00:61Z",
          "2026-01-31T00:00:00.Z", "2026-01-31T00:00:00.0123456789Z", "2026-01-31T00:00:00+0100",
          "2026-01-31T00:00:00+24:00", "2026-01-31T00:00:00Z ", "+2026-01-31T00:00:00Z"}) {
        EXPECT_FALSE(parse_timestamp(text)) << text;
    }
    for (const char* text :
         {"", "2026-1-31", "2026-02-29", "2026/01/31", "26-01-31", "2026-01-31x"}) {
        EXPECT_FALSE(parse_date(text)) << text;
    }
}

TEST(Time, RandomMomentsSurviveARoundTrip) {
    Random random(3);
    for (int i = 0; i < 20'000; ++i) {
        const Timestamp at{random.between(-62'167'219'200'000, 253'402'300'799'999)};
        ASSERT_EQ(parse_timestamp(to_string(at)).value(), at);
        const Date date = date_of(at);
        ASSERT_EQ(parse_date(to_string(date)).value(), date);
        ASSERT_LE(start_of(date), at);
        ASSERT_LT(at, start_of(date + 1));
    }
    const Date leap = Date::from_civil(2024, 2, 29).value();
    EXPECT_EQ(to_string(leap + 1), "2024-03-01");
    EXPECT_EQ(leap.year(), 2024);
    EXPECT_EQ(leap.month(), 2u);
    EXPECT_EQ(leap.day(), 29u);
    EXPECT_FALSE(Date::from_civil(2023, 2, 29));
}

TEST(Time, Durations) {
    EXPECT_EQ(parse_duration("250ms").value(), 250ms);
    EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
    EXPECT_EQ(parse_duration("7d").value(), 168h);
    EXPECT_EQ(parse_duration("9007199254740993ns").value().count(), 9007199254740992);
    for (const char* text :
         {"", "5", "s", "-1s", "1 s", "1e3s", "1w", "300000d", "nans", "infs", ".5s"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
    EXPECT_EQ(to_string(Duration(90s)), "90s");
    EXPECT_EQ(to_string(Duration(2h)), "2h");
    EXPECT_EQ(to_string(Duration(1500us)), "1500us");
    EXPECT_EQ(to_string(Duration(0)), "0s");
    const Instant at{5};
    EXPECT_EQ((at + 1us) - at, 1us);
    EXPECT_LT(at, Instant::max());
    EXPECT_EQ((Timestamp{1000} + 2s).ms, 3000);
    EXPECT_EQ(Timestamp{3000} - Timestamp{1000}, Duration(2s));
}

TEST(Id, ReadsAndWrites) {
    const std::string text = "0190b1c2-7f3e-7abc-8def-0123456789ab";
    const Id id = parse_id(text).value();
    EXPECT_EQ(to_string(id), text);
    EXPECT_EQ(parse_id("0190B1C2-7F3E-7ABC-8DEF-0123456789AB").value(), id);
    for (const char* bad :
         {"", "0190b1c27f3e7abc8def0123456789ab", "0190b1c2-7f3e-7abc-8def-0123456789a",
          "0190b1c2-7f3e-7abc-8def-0123456789abc", "0190b1c2-7f3e-7abc-8def-0123456789ag",
          "0190b1c2x7f3e-7abc-8def-0123456789ab", "{190b1c2-7f3e-7abc-8def-0123456789a}"}) {
        EXPECT_FALSE(parse_id(bad)) << bad;
    }
    EXPECT_TRUE(Id{}.is_nil());
    EXPECT_EQ(created_at(Id{}), std::nullopt);
}

TEST(Id, GeneratedIdsIncreaseAndCarryTheirTime) {
    IdGenerator generator{Random(1)};
    Random random(2);
    std::unordered_set<Id> seen;
    Id last;
    std::int64_t now = 1'769'850'300'000;
    for (int i = 0; i < 50'000; ++i) {
        now += random.between(-2, 2);  // clocks also step back
        const Id id = generator.next({now});
        ASSERT_GT(id, last);
        ASSERT_GT(to_string(id), to_string(last));
        ASSERT_TRUE(seen.insert(id).second);
        last = id;
    }
    Random source(3);
    const Id id = uuid7({now}, source);
    EXPECT_EQ(created_at(id), Timestamp{now});
    EXPECT_EQ(to_string(id)[14], '7');
    EXPECT_NE(std::string_view("89ab").find(to_string(id)[19]), std::string_view::npos);
}

TEST(Money, ReadsWhatPeopleWrite) {
    const std::pair<const char*, std::int64_t> good[] = {
        {"1299", 129900},
        {"1,299.00", 129900},
        {"$1,299.50", 129950},
        {"1299.5", 129950},
        {" 0.05 ", 5},
        {"-3.25", -325},
        {"-$3", -300},
        {"1,234,567.89", 123456789},
        {"92233720368547757.99", 9223372036854775799}};
    for (const auto& [text, hundredths] : good) {
        const Result<Money> money = parse_money(text);
        ASSERT_TRUE(money) << text;
        EXPECT_EQ(money->hundredths, hundredths) << text;
    }
    for (const char* text :
         {"", "-", "$", "1.", ".5", "1.234", "1,29", "1,2999", ",129", "12,34,567", "1.2.3", "1e3",
          "ten", "1 299", "922337203685477590", "--1", "1234,567"}) {
        EXPECT_FALSE(parse_money(text)) << text;
    }
}

TEST(Money, ConvertsExactly) {
    EXPECT_EQ(money_from(1299.5).value().hundredths, 129950);
    EXPECT_EQ(money_from(std::int64_t{7}).value().hundredths, 700);
    EXPECT_FALSE(money_from(0.001));
    EXPECT_FALSE(money_from(1e15));
    EXPECT_FALSE(money_from(INT64_MAX));
    EXPECT_EQ(to_string(Money{129900}), "1299");
    EXPECT_EQ(to_string(Money{129950}), "1299.5");
    EXPECT_EQ(to_string(Money{-5}), "-0.05");
    Random random(9);
    for (int i = 0; i < 20'000; ++i) {
        const Money money{random.between(-9'000'000'000'000, 9'000'000'000'000)};
        ASSERT_EQ(parse_money(to_string(money)).value(), money);
        ASSERT_EQ(money_from(static_cast<double>(money.hundredths) / 100).value(), money);
    }
}

}  // namespace time_tests
}  // namespace bennu
