#include "bennu/channel/typescript.hpp"

#include <gtest/gtest.h>

namespace bennu {
namespace typescript_tests {

enum class Status { in_stock, new_ };
BENNU_ENUM(Status, in_stock, new_)

struct Note {
    std::string text;
    std::vector<Note> replies;
};
BENNU_RECORD(Note, text, replies)

struct Asset {
    Id id;
    Status status = Status::in_stock;
    std::optional<Money> cost;
    std::vector<std::optional<int>> counts;
    Timestamp inserted_at;
    bool active = false;
    Json custom;
    std::string class_;
};
BENNU_RECORD(Asset, id, status, cost, counts, inserted_at, active, custom, class_)

struct Changed {
    Asset asset;
    std::optional<Note> note;
};
BENNU_RECORD(Changed, asset, note)

struct Page {
    int number = 1;
    Duration wait{};
};
BENNU_RECORD(Page, number, wait)

namespace other {
struct Page {
    int x = 0;
};
BENNU_RECORD(Page, x)
}  // namespace other

struct Known {
    std::string full_name;
};
BENNU_RECORD(Known, full_name)

struct AssetsChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    Result<Asset> show(Page) { return Asset(); }
    Result<> raw(Json) { return {}; }
    Reply change(Changed) { return Reply::ok(); }
    void ping() {}
};

std::string written(const ChannelTypes& channel) {
    return typescript("test types", std::span(&channel, 1));
}

TEST(TypeScript, a_channel_of_nothing_has_the_shape_that_the_kit_takes) {
    EXPECT_EQ(written(ChannelTypes("Quiet")),
              "// Written by `test types` from the server's records; not edited by hand.\n"
              "\n"
              "export interface Quiet {\n"
              "  params: Record<string, never>\n"
              "  joined: Record<string, never>\n"
              "  pushes: {}\n"
              "  events: {}\n"
              "  presence: Record<string, never>\n"
              "}\n");
}

TEST(TypeScript, each_record_and_enum_is_written_once_in_order_of_first_use) {
    ChannelTypes types = ChannelTypes("AssetsChannel")
                             .joins<Page, std::vector<Asset>>()
                             .on<&AssetsChannel::show>("show")
                             .on<&AssetsChannel::raw>("raw-data")
                             .on<&AssetsChannel::ping>("ping")
                             .sends<Changed>("changed")
                             .sends<Bytes>("picture")
                             .tracks<Page, Known>();
    const std::string text = written(types);
    EXPECT_EQ(text,
              "// Written by `test types` from the server's records; not edited by hand.\n"
              "\n"
              "export interface Page {\n"
              "  number: number\n"
              "  wait: string\n"
              "}\n"
              "\n"
              "export interface Asset {\n"
              "  id: string\n"
              "  status: Status\n"
              "  cost: number | null\n"
              "  counts: (number | null)[]\n"
              "  inserted_at: string\n"
              "  active: boolean\n"
              "  custom: unknown\n"
              "  class: string\n"
              "}\n"
              "\n"
              "export interface Changed {\n"
              "  asset: Asset\n"
              "  note: Note | null\n"
              "}\n"
              "\n"
              "export interface Known {\n"
              "  full_name: string\n"
              "}\n"
              "\n"
              "export type Status = | \"in_stock\" | \"new\"\n"
              "\n"
              "export interface Note {\n"
              "  text: string\n"
              "  replies: Note[]\n"
              "}\n"
              "\n"
              "export interface AssetsChannel {\n"
              "  params: Page\n"
              "  joined: Asset[]\n"
              "  pushes: {\n"
              "    show: { payload: Page; reply: Asset }\n"
              "    \"raw-data\": { payload: unknown; reply: Record<string, never> }\n"
              "    ping: { payload: Record<string, never> }\n"
              "  }\n"
              "  events: {\n"
              "    changed: Changed\n"
              "    picture: ArrayBuffer\n"
              "  }\n"
              "  presence: Page\n"
              "  present: Known\n"
              "}\n");
    EXPECT_EQ(written(types), text);
}

TEST(TypeScript, what_a_client_sends_may_leave_out_what_the_server_does_not_require) {
    const std::string text =
        written(ChannelTypes("AssetsChannel").on<&AssetsChannel::change, Changed>("change"));
    EXPECT_TRUE(text.contains("change: { payload: ChangedInput; reply: Changed }\n")) << text;
    EXPECT_TRUE(
        text.contains("export interface ChangedInput {\n"
                      "  asset: AssetInput\n"
                      "  note?: NoteInput | null\n"
                      "}\n"))
        << text;
    EXPECT_TRUE(
        text.contains("export interface AssetInput {\n"
                      "  id: string\n"
                      "  status: Status\n"
                      "  cost?: number | null\n"
                      "  counts?: (number | null)[]\n"
                      "  inserted_at: string\n"
                      "  active: boolean\n"
                      "  custom?: unknown\n"
                      "  class: string\n"
                      "}\n"))
        << text;
    EXPECT_TRUE(
        text.contains("export interface NoteInput {\n"
                      "  text: string\n"
                      "  replies?: NoteInput[]\n"
                      "}\n"))
        << text;
    EXPECT_TRUE(text.contains("export interface Changed {\n  asset: Asset\n"));
}

struct Row {
    std::int64_t key = 0;
    std::string name;
};
BENNU_RECORD(Row, key, name)

struct Changes {
    Json changed;
    Json either;
    Json anything;
};
BENNU_RECORD(Changes, changed, either, anything)

struct Hidden {
    std::string shown;
    Json hidden;
};
BENNU_RECORD(Hidden, shown)

TEST(TypeScript, json_is_what_the_channel_says_it_is) {
    const std::string text =
        written(ChannelTypes("Rows")
                    .sends<Changes>("changes")
                    .json<&Changes::changed>(JsonShape::part_of<Row>({"key"}).list())
                    .json<&Changes::either>(JsonShape::any_of<Row, Known>()));
    EXPECT_TRUE(
        text.contains("export interface Changes {\n"
                      "  changed: (Partial<Row> & Pick<Row, \"key\">)[]\n"
                      "  either: Row | Known\n"
                      "  anything: unknown\n"
                      "}\n"))
        << text;
    EXPECT_TRUE(text.contains("export interface Known {")) << text;
    EXPECT_THROW((void)JsonShape::part_of<Row>({"nmae"}), std::invalid_argument);
    EXPECT_THROW((void)ChannelTypes("A").json<&Hidden::hidden>(JsonShape::any_of<Row>()),
                 std::invalid_argument);
}

TEST(TypeScript, names_that_would_mean_two_things_are_refused) {
    EXPECT_THROW((void)written(ChannelTypes("A").joins<Page, other::Page>()),
                 std::invalid_argument);
    EXPECT_THROW((void)written(ChannelTypes("Page").joins<Page>()), std::invalid_argument);
    EXPECT_THROW((void)written(ChannelTypes("two words")), std::invalid_argument);
    EXPECT_THROW((void)written(ChannelTypes("A").sends<Page>("x").sends<Page>("x")),
                 std::invalid_argument);
    const ChannelTypes twice[] = {ChannelTypes("A"), ChannelTypes("A")};
    EXPECT_THROW((void)typescript("test", twice), std::invalid_argument);
}

}  // namespace typescript_tests
}  // namespace bennu
