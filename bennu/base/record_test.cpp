#include "bennu/base/record.hpp"

#include <gtest/gtest.h>

#include "bennu/base/record_json.hpp"
#include "bennu/base/record_row.hpp"

namespace bennu {
namespace record_tests {

enum class Status { in_stock, assigned, new_ };
BENNU_ENUM(Status, in_stock, assigned, new_)

enum class Wide : std::uint8_t { low = 1, high = 200 };
BENNU_ENUM(Wide, low, high)

struct Note {
    std::string text;
    std::vector<Note> replies;
};
BENNU_RECORD(Note, text, replies)

struct View {
    struct State {
        int page = 1;
        std::string sort = "name";
    };
};
BENNU_RECORD(View::State, page, sort)

struct Asset {
    Id id;
    std::string name;
    Status status = Status::in_stock;
    std::optional<Money> cost;
    std::optional<Date> purchased_on;
    Timestamp inserted_at;
    bool active = false;
    int version = 0;
    std::int64_t views = 0;
    double weight = 0;
    Json custom;
    std::vector<Note> notes;
    std::optional<View::State> state;
    std::string class_;
};
BENNU_RECORD(Asset, id, name, status, cost, purchased_on, inserted_at, active, version, views,
             weight, custom, notes, state, class_)

struct Odd {
    std::uint16_t port = 4000;
    std::uint32_t small = 0;
    std::uint64_t large = 0;
    Duration wait{};
    Secret key;
    Wide wide = Wide::high;
    std::vector<std::string> tags;
    std::optional<int> limit;
    int not_listed = 7;
};
BENNU_RECORD(Odd, port, small, large, wait, key, wide, tags, limit)

struct Empty {};

struct Broad {
    int a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6,
        c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5,
        f6, f7, g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7;
};
BENNU_RECORD(Broad, a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
             c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1,
             f2, f3, f4, f5, f6, f7, g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7)

static_assert(Record<Asset> && Record<View::State> && !Record<Empty> && !Record<int>);
static_assert(Enum<Status> && !Enum<FieldKind> && !Enum<int>);
static_assert(record_of<Asset>().fields.size() == 14);
static_assert(record_of<Broad>().fields.size() == 64);
static_assert(type_name<View::State>() == "State");

Asset sample() {
    return {.id = parse_id("0190b1c2-7f3e-7abc-8def-0123456789ab").value(),
            .name = "MacBook \"Pro\"",
            .status = Status::new_,
            .cost = Money{129950},
            .purchased_on = Date::from_civil(2026, 1, 31),
            .inserted_at = {1769850300123},
            .active = true,
            .version = 3,
            .views = 1'234'567'890'123,
            .weight = 1.25,
            .custom = Json::object({{"rack", 7}}),
            .notes = {{"first", {{"reply", {}}}}, {"second", {}}},
            .state = View::State{2, "cost"},
            .class_ = "laptop"};
}

const std::string sample_json =
    R"({"id":"0190b1c2-7f3e-7abc-8def-0123456789ab","name":"MacBook \"Pro\"","status":"new",)"
    R"("cost":1299.5,"purchased_on":"2026-01-31","inserted_at":"2026-01-31T09:05:00.123Z",)"
    R"("active":true,"version":3,"views":1234567890123,"weight":1.25,"custom":{"rack":7},)"
    R"("notes":[{"text":"first","replies":[{"text":"reply","replies":[]}]},)"
    R"({"text":"second","replies":[]}],"state":{"page":2,"sort":"cost"},"class":"laptop"})";

std::string errors_of(const Result<>& result) {
    std::string text;
    if (result) return text;
    for (const FieldError& error : result.error().fields()) {
        text.append(error.field).append(" ").append(error.code).append(": ").append(error.message);
        text += '\n';
    }
    return text;
}

TEST(Record, TableDescribesTheStruct) {
    const RecordInfo& info = record_of<Asset>();
    EXPECT_EQ(info.name, "Asset");
    EXPECT_EQ(info.size, sizeof(Asset));
    EXPECT_EQ(info.find("cost")->ops->kind, FieldKind::optional);
    EXPECT_EQ(info.find("cost")->ops->value().kind, FieldKind::money);
    EXPECT_EQ(info.find("nope"), nullptr);
    EXPECT_EQ(member_field(&Asset::cost).name, "cost");
    EXPECT_EQ(member_field(&Asset::id).name, "id");
    EXPECT_EQ(member_field(&Asset::class_).name, "class");
    EXPECT_THROW((void)member_field(&Odd::not_listed), std::logic_error);
    EXPECT_EQ(enum_name(Status::new_), "new");
    EXPECT_EQ(enum_from<Status>("assigned"), Status::assigned);
    EXPECT_EQ(enum_from<Status>("new_"), std::nullopt);
}

TEST(Record, LivesBehindAPointer) {
    const RecordInfo& info = record_of<Asset>();
    alignas(Asset) std::byte storage[sizeof(Asset)];
    info.construct(storage);
    const Asset asset = sample();
    EXPECT_FALSE(record_equal(storage, &asset, info));
    info.assign(storage, &asset);
    EXPECT_TRUE(record_equal(storage, &asset, info));
    info.destroy(storage);
    Asset other = asset;
    other.notes[0].replies[0].text = "changed";
    EXPECT_FALSE(record_equal(asset, other));
}

TEST(RecordJson, WritesAndReadsBack) {
    const Asset asset = sample();
    EXPECT_EQ(to_json(asset), sample_json);
    EXPECT_EQ(to_json(to_json_value(asset)), sample_json);
    const Result<Asset> read = from_json<Asset>(parse_json(sample_json).value());
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_TRUE(record_equal(*read, asset));
}

TEST(RecordJson, CollectsEveryError) {
    Asset asset;
    const Json bad = parse_json(R"({"id":"x","name":7,"status":"gone","cost":1.005,
        "purchased_on":"2026-02-30","inserted_at":5,"active":"yes","version":3000000000,"views":1.5,
        "weight":"1","notes":[{"text":"a"},{"text":null},7],"state":{"page":"x","sort":"a"},
        "nam":"x"})")
                         .value();
    EXPECT_EQ(errors_of(read_json(asset, bad)),
              "id invalid: must be a UUID\n"
              "name type: must be text\n"
              "status not_one_of: must be one of: in_stock, assigned, new\n"
              "cost invalid: must have at most two decimals\n"
              "purchased_on invalid: must be a date such as 2026-01-31\n"
              "inserted_at type: must be a time such as 2026-01-31T09:05:00Z\n"
              "active type: must be true or false\n"
              "version out_of_range: must be between -2147483648 and 2147483647\n"
              "views type: must be a whole number\n"
              "weight type: must be a number\n"
              "notes.1.text required: is required\n"
              "notes.2 type: must be an object\n"
              "state.page type: must be a whole number\n"
              "nam unknown: is not a known field; did you mean name?\n"
              "class required: is required\n");
    EXPECT_EQ(errors_of(read_json(asset, Json::array())), " type: must be an object\n");
    EXPECT_EQ(errors_of(read_json(asset, Json::object({{"zzzzzz", 1}}),
                                  {.absent = Absent::keep, .path = "asset"})),
              "asset.zzzzzz unknown: is not a known field\n");
}

TEST(RecordJson, OptionsDecideWhatMayBeSet) {
    Asset asset = sample();
    const Json change = Json::object({{"name", "new name"}, {"extra", 1}, {"version", 9}});
    const std::string_view only[] = {"name", "cost"};
    EXPECT_EQ(errors_of(read_json(asset, change, {.absent = Absent::keep, .only = only})),
              "extra unknown: is not a known field\nversion unknown: is not a known field\n");
    EXPECT_TRUE(read_json(asset, change, {.unknown = Unknown::ignore, .only = only}));
    EXPECT_EQ(asset.name, "new name");
    EXPECT_EQ(asset.version, 3);
    EXPECT_EQ(asset.cost, Money{129950});
    EXPECT_TRUE(read_json(asset, Json::object({{"cost", nullptr}}), {.absent = Absent::keep}));
    EXPECT_EQ(asset.cost, std::nullopt);
    EXPECT_FALSE(read_json(asset, Json::object({{"version", nullptr}}), {.absent = Absent::keep}));
}

TEST(RecordJson, ReadsTextFromForms) {
    Odd odd;
    const Json form = Json::object({{"port", " 8080 "},
                                    {"small", "4294967295"},
                                    {"large", "9223372036854775807"},
                                    {"wait", "30s"},
                                    {"key", "s3cret"},
                                    {"wide", "low"},
                                    {"limit", ""}});
    EXPECT_FALSE(read_json(odd, form));
    odd.limit = 5;
    ASSERT_TRUE(read_json(odd, form, {.from_text = true}));
    EXPECT_EQ(odd.port, 8080);
    EXPECT_EQ(odd.small, UINT32_MAX);
    EXPECT_EQ(odd.wait, std::chrono::seconds(30));
    EXPECT_EQ(odd.key.reveal(), "s3cret");
    EXPECT_EQ(odd.wide, Wide::low);
    EXPECT_EQ(odd.limit, std::nullopt);
    EXPECT_NE(to_json(odd).find(R"("key":"***")"), std::string::npos);

    const auto try_text = [&](std::string_view field, std::string_view text) {
        const Field& f = *record_of<Odd>().find(field);
        return errors_of(set_text(f.of(&odd), *f.ops, field, text));
    };
    EXPECT_EQ(try_text("port", "65536"), "port out_of_range: must be between 0 and 65535\n");
    EXPECT_EQ(try_text("port", "-1"), "port out_of_range: must be between 0 and 65535\n");
    EXPECT_EQ(try_text("port", "80x"), "port type: must be a whole number\n");
    EXPECT_EQ(try_text("port", ""), "port type: must be a whole number\n");
    EXPECT_EQ(try_text("limit", "99999999999999999999"),
              "limit out_of_range: must be between -2147483648 and 2147483647\n");
    EXPECT_EQ(try_text("tags", "a"), "tags type: must be a list\n");
    EXPECT_EQ(try_text("limit", "12"), "");
    EXPECT_EQ(odd.limit, 12);
}

TEST(RecordJson, RandomDamageIsReportedNotCrashed) {
    Random random(21);
    const Json good = parse_json(sample_json).value();
    const Json odd_values[] = {nullptr, true, -1, 1e300, "", Json::array(), Json::object()};
    for (int i = 0; i < 3'000; ++i) {
        Json damaged = good;
        for (int n = 0; n < 3; ++n) {
            auto& members = damaged.as_object();
            members[random.below(members.size())].value = odd_values[random.below(7)];
        }
        const Result<Asset> read = from_json<Asset>(damaged);
        if (read) {
            ASSERT_TRUE(record_equal(from_json<Asset>(to_json_value(*read)).value(), *read));
        } else {
            ASSERT_FALSE(read.error().fields().empty());
        }
    }
}

TEST(RecordRow, EveryKindSurvivesADatabase) {
    const Asset asset = sample();
    Asset copy;
    for (const Field& field : record_of<Asset>().fields) {
        Value value = get_value(field.of(&asset), *field.ops);
        ASSERT_TRUE(set_value(field.of(&copy), *field.ops, std::move(value))) << field.name;
    }
    EXPECT_TRUE(record_equal(copy, asset));
    const auto value_of = [&](const char* name) {
        const Field& field = *record_of<Asset>().find(name);
        return get_value(field.of(&asset), *field.ops);
    };
    EXPECT_EQ(value_of("cost"), Value(std::int64_t{129950}));
    EXPECT_EQ(value_of("inserted_at"), Value(std::int64_t{1769850300123}));
    EXPECT_EQ(value_of("status"), Value(std::string("new")));
    EXPECT_EQ(value_of("active"), Value(std::int64_t{1}));
    EXPECT_EQ(value_of("custom"), Value(std::string("{\"rack\":7}")));
}

TEST(RecordRow, RefusesWhatDoesNotFit) {
    Odd odd;
    const auto code_of = [&](const char* name, Value value) {
        const Field& field = *record_of<Odd>().find(name);
        const Result<> set = set_value(field.of(&odd), *field.ops, std::move(value));
        return set ? std::string() : std::string(set.error().code());
    };
    EXPECT_EQ(code_of("port", std::int64_t{70'000}), "out_of_range");
    EXPECT_EQ(code_of("port", Value()), "required");
    EXPECT_EQ(code_of("port", 1.5), "type");
    EXPECT_EQ(code_of("port", std::string("81")), "");
    EXPECT_EQ(code_of("limit", Value()), "");
    EXPECT_EQ(code_of("wide", std::string("middle")), "not_one_of");
    EXPECT_EQ(code_of("wide", std::int64_t{1}), "type");
    EXPECT_EQ(code_of("tags", std::string("{")), "malformed_json");
    EXPECT_EQ(code_of("tags", std::string("[\"a\"]")), "");
    EXPECT_EQ(code_of("key", std::vector<std::byte>(3)), "type");
    EXPECT_EQ(odd.port, 81);
    EXPECT_EQ(odd.tags, std::vector<std::string>{"a"});
}

}  // namespace record_tests
}  // namespace bennu
