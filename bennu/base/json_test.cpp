#include "bennu/base/json.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bennu/base/random.hpp"
#include "bennu/base/utf8.hpp"

namespace bennu {
namespace json_tests {

std::string error_code_of(std::string_view text, JsonLimits limits = {}) {
    const Result<Json> parsed = parse_json(text, limits);
    return parsed ? "" : std::string(parsed.error().code());
}

std::string round_trip(std::string_view text) {
    return to_json(parse_json(text).value());
}

TEST(Json, KeepsOrderTypesAndText) {
    const std::string text =
        R"({"z":1,"a":[true,false,null,-7,1.5,1e+300],"text":"a string longer than fourteen bytes","":{}})";
    EXPECT_EQ(round_trip(text), text);
    const Json json = parse_json(text).value();
    EXPECT_TRUE(json["z"].is_int());
    EXPECT_EQ(json["a"][3].as_int(), -7);
    EXPECT_EQ(json["a"].size(), 6u);
    EXPECT_TRUE(json["no"]["such"][7].is_null());
    EXPECT_EQ(json.get<int>("z"), 1);
    EXPECT_EQ(json.get<std::string>("z"), std::nullopt);
    EXPECT_EQ(json.get<std::string_view>("text")->size(), 35u);
}

TEST(Json, BuildsFromLists) {
    const Json json =
        Json::object({{"a", 1}, {"b", "two"}, {"c", Json::array({1.5, true, nullptr})}, {"a", 2}});
    EXPECT_EQ(to_json(json), R"({"a":2,"b":"two","c":[1.5,true,null]})");
    EXPECT_EQ(to_json(Json::object({{"a", "b"}})), R"({"a":"b"})");
    EXPECT_EQ(to_json(Json::array()), "[]");
    EXPECT_EQ(to_json(Json::object()), "{}");
    EXPECT_EQ(to_json(Json(UINT64_MAX)), "18446744073709551616.0");
}

TEST(Json, IsAValueType) {
    Json original = parse_json(R"({"list":[1,{"x":"a string longer than fourteen"}]})").value();
    Json copy = original;
    EXPECT_EQ(copy, original);
    copy.set("list", 5);
    copy.find("list")->get<int>();
    EXPECT_NE(copy, original);
    Json moved = std::move(original);
    EXPECT_TRUE(original.is_null());  // NOLINT: the moved-from state is part of the contract
    EXPECT_EQ(moved["list"].size(), 2u);
    moved = moved["list"][1];
    EXPECT_EQ(moved["x"].as_string(), "a string longer than fourteen");
    EXPECT_TRUE(moved.erase("x"));
    EXPECT_FALSE(moved.erase("x"));
    Json grown;
    grown.push_back("a");
    grown.push_back(grown[0]);
    EXPECT_EQ(to_json(grown), R"(["a","a"])");
}

TEST(Json, ComparesByValueAndIgnoresOrder) {
    EXPECT_EQ(Json(1), Json(1.0));
    EXPECT_NE(Json(1), Json(1.5));
    EXPECT_NE(Json(INT64_MAX), Json(0x1p63));
    EXPECT_EQ(Json(INT64_MIN), Json(-0x1p63));
    EXPECT_NE(Json(1), Json(true));
    EXPECT_NE(Json(""), Json());
    EXPECT_EQ(parse_json(R"({"a":1,"b":2})").value(), parse_json(R"({"b":2,"a":1})").value());
    EXPECT_NE(parse_json(R"({"a":1,"b":2})").value(), parse_json(R"({"a":1,"c":2})").value());
}

TEST(Json, CheckedAccessFaults) {
    EXPECT_THROW((void)Json("x").as_int(), std::logic_error);
    EXPECT_THROW((void)Json().as_object(), std::logic_error);
    EXPECT_EQ(Json(300).get<std::uint8_t>(), std::nullopt);
    EXPECT_EQ(Json(-1).get<std::uint32_t>(), std::nullopt);
    EXPECT_EQ(Json(3).as_double(), 3.0);
}

TEST(JsonParse, RefusesWhatIsNotJson) {
    for (const char* text : {"",           " ",        "{",          "[1,]",
                             "{\"a\":1,}", "[1 2]",    "nul",        "01",
                             "1.",         ".5",       "+1",         "1e",
                             "\"a",        "\"\\x\"",  "\"\\ud80\"", "\"\\udc0g\"",
                             "'a'",        "{a:1}",    "1 2",        "[1]x",
                             "NaN",        "Infinity", "-",          "// c\n1",
                             "/**/1",      "\"\n\"",   "\"\x01\"",   "\xef\xbb\xbf{}",
                             "[1}",        "{\"a\"}"}) {
        const Result<Json> parsed = parse_json(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid) << text;
        EXPECT_NE(parsed.error().message().find(" at byte "), std::string_view::npos) << text;
    }
    EXPECT_EQ(parse_json("[1, x]").error().message(), "the JSON text is malformed at byte 4");
    EXPECT_EQ(error_code_of("[1] 2"), "malformed_json");
}

TEST(JsonParse, BeginsAnewAfterAnError) {
    EXPECT_EQ(error_code_of(R"({"a":[1,{"b":[2,3],"c":)"), "malformed_json");
    EXPECT_EQ(error_code_of(R"([1,{"a":1,"a":[]}])"), "duplicate_key");
    const std::string text = R"({"a":[1,[],{"b":[2,{"c":"d"}],"e":{}}],"f":[[3],4]})";
    EXPECT_EQ(to_json(parse_json(text).value()), text);
}

TEST(JsonParse, RefusesBrokenUtf8) {
    for (const char* text : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
                             "{\"\xe2\x28\xa1\":1}", "\"\xe2\x82\""}) {
        EXPECT_EQ(error_code_of(text), "invalid_utf8");
    }
    EXPECT_EQ(parse_json("\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"").value().as_string(),
              "\xf0\x9f\x98\x80 \xf0\x9f\x98\x80");
    EXPECT_EQ(parse_json(R"("\u0000")").value().as_string(), std::string_view("\0", 1));
}

TEST(JsonParse, ReadsHalfACharacterAsTheReplacementCharacter) {
    const std::string_view replaced = "\xef\xbf\xbd";
    const std::pair<const char*, std::string> rows[] = {
        {R"("\ud83d")", "?"},
        {R"("\udc00")", "?"},
        {R"("a\uD83Db")", "a?b"},
        {R"("\ud83d\n")", "?\n"},
        {R"("\ud83d\u0041")", "?A"},
        {R"("\ud83d\ud83d\ude00")", "?\xf0\x9f\x98\x80"},
        {R"("\ude00\ud83d")", "??"},
        {R"("\\ud83d \ud83d")", "\\ud83d ?"},
        {R"("\ud83d\ude00 \ud83d\ude00\udead")", "\xf0\x9f\x98\x80 \xf0\x9f\x98\x80?"},
    };
    for (const auto& [text, with_marks] : rows) {
        std::string expected;
        for (const char c : with_marks) {
            if (c == '?') {
                expected += replaced;
            } else {
                expected += c;
            }
        }
        const Result<Json> parsed = parse_json(text);
        ASSERT_TRUE(parsed) << text << " " << parsed.error().message();
        EXPECT_EQ(parsed->as_string(), expected) << text;
    }
    EXPECT_EQ(to_json(parse_json(R"({"\ud83d":["\udc00",1]})").value()),
              "{\"\xef\xbf\xbd\":[\"\xef\xbf\xbd\",1]}");
    // What else is wrong with a text is found all the same, and where it is.
    EXPECT_EQ(parse_json(R"(["\ud83d", x])").error().message(),
              "the JSON text is malformed at byte 11");
    EXPECT_EQ(error_code_of(R"(["\ud83d", \ud83d])"), "malformed_json");
    EXPECT_EQ(error_code_of(R"({"\ud83d":1,"\udc00":2})"), "duplicate_key");
}

TEST(JsonParse, RefusesDuplicateKeys) {
    EXPECT_EQ(error_code_of(R"({"a":1,"b":2,"a":3})"), "duplicate_key");
    EXPECT_EQ(error_code_of(R"({"x":{"a":1,"\u0061":2}})"), "duplicate_key");
    EXPECT_EQ(error_code_of(R"({"a":{"a":1},"b":{"a":1}})"), "");
    std::string many = "{";
    for (int i = 0; i < 100'000; ++i) many += "\"k" + std::to_string(i) + "\":0,";
    EXPECT_EQ(error_code_of(many + "\"last\":0}"), "");
    EXPECT_EQ(error_code_of(many + "\"k5\":0}"), "duplicate_key");
}

TEST(JsonParse, KeepsItsLimits) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_EQ(error_code_of(nested(64)), "");
    EXPECT_EQ(error_code_of(nested(65)), "too_deep");
    EXPECT_EQ(error_code_of(nested(100'000)), "too_deep");
    EXPECT_EQ(error_code_of(nested(3), {.max_depth = 2}), "too_deep");
    EXPECT_EQ(error_code_of("[1]", {.max_bytes = 3}), "");
    EXPECT_EQ(error_code_of("[11]", {.max_bytes = 3}), "too_large");
    EXPECT_EQ(parse_json("[11]", {.max_bytes = 3}).error().kind(), ErrorKind::too_large);
}

TEST(JsonParse, NumbersAreExact) {
    EXPECT_EQ(parse_json("9223372036854775807").value(), Json(INT64_MAX));
    EXPECT_EQ(parse_json("-9223372036854775808").value(), Json(INT64_MIN));
    EXPECT_FALSE(parse_json("9223372036854775808").value().is_int());
    EXPECT_EQ(parse_json("9223372036854775808").value().as_double(), 0x1p63);
    EXPECT_EQ(parse_json("123456789012345678901234567890").value().as_double(),
              1.2345678901234568e29);
    EXPECT_EQ(parse_json("1e-400").value().as_double(), 0.0);
    EXPECT_EQ(parse_json("4.9e-324").value().as_double(), 4.9e-324);
    EXPECT_TRUE(std::signbit(parse_json("-0.0").value().as_double()));
    EXPECT_EQ(error_code_of("1e400"), "number_out_of_range");
    EXPECT_EQ(error_code_of("-1e99999999999"), "number_out_of_range");
    EXPECT_EQ(error_code_of(std::string(400, '9')), "number_out_of_range");
    Random random(7);
    for (int i = 0; i < 20'000; ++i) {
        const double value = std::bit_cast<double>(random.next());
        if (!std::isfinite(value)) continue;
        std::string text;
        append_json_double(text, value);
        ASSERT_EQ(parse_json(text).value().as_double(), value) << text;
    }
}

TEST(JsonWrite, IsAlwaysSafeUtf8) {
    std::string out;
    append_json_string(out, std::string_view("a\"\\\n\r\t\b\f\x01\x7f\0z", 12));
    EXPECT_EQ(out, R"("a\"\\\n\r\t\b\f\u0001\u007f\u0000z")");
    out.clear();
    append_json_string(out, "ok \xc3\xa9 bad \xff\xc3(\xed\xa0\x80");
    EXPECT_TRUE(valid_utf8(out));
    EXPECT_TRUE(out.starts_with("\"ok \xc3\xa9 bad \xef\xbf\xbd\xef\xbf\xbd("));
    EXPECT_EQ(to_json(Json(std::nan(""))), "null");
    EXPECT_EQ(to_json(Json(1.0)), "1.0");
    EXPECT_EQ(to_json(Json(1e22)), "1e+22");
}

Json random_json(Random& random, int depth) {
    switch (random.below(depth > 0 ? 7 : 5)) {
        case 0:
            return nullptr;
        case 1:
            return random.chance(0.5);
        case 2:
            return random.between(INT64_MIN, INT64_MAX);
        case 3:
            return random.uniform() * 1e6 - 5e5;
        case 4: {
            std::string text;
            for (std::uint64_t n = random.below(24); n > 0; --n) {
                append_utf8(text,
                            static_cast<char32_t>(random.chance(0.8) ? random.below(128)
                                                                     : random.below(0x110000)));
            }
            return text;
        }
        case 5: {
            Json array = Json::array();
            for (std::uint64_t n = random.below(6); n > 0; --n) {
                array.push_back(random_json(random, depth - 1));
            }
            return array;
        }
        default: {
            Json object = Json::object();
            for (std::uint64_t n = random.below(12); n > 0; --n) {
                object.set("k" + std::to_string(random.below(100)), random_json(random, depth - 1));
            }
            return object;
        }
    }
}

TEST(Json, RandomValuesSurviveARoundTrip) {
    Random random(2024);
    for (int i = 0; i < 2'000; ++i) {
        const Json json = random_json(random, 5);
        const std::string text = to_json(json);
        ASSERT_EQ(parse_json(text).value(), json) << text;
        ASSERT_EQ(round_trip(text), text);
    }
}

TEST(JsonParse, RandomDamageNeverCrashes) {
    Random random(99);
    for (int i = 0; i < 5'000; ++i) {
        std::string text = to_json(random_json(random, 4));
        for (std::uint64_t n = random.below(4); n > 0 && !text.empty(); --n) {
            text[random.below(text.size())] = static_cast<char>(random.below(256));
        }
        if (const Result<Json> parsed = parse_json(text)) {
            ASSERT_EQ(parse_json(to_json(*parsed)).value(), *parsed);
        }
    }
}

}  // namespace json_tests
}  // namespace bennu
