#include "bennu/pubsub/presence_wire.hpp"

#include <gtest/gtest.h>

namespace bennu::presence::detail {

namespace {

using Kind = TrackerMessage::Kind;

EntryText some_text(std::string fields) {
    EntryText text{.fields = std::move(fields)};
    text.ref.fill('r');
    return text;
}

TrackerMessage news(Delta delta) {
    return {.kind = Kind::news,
            .group = 7,
            .from = {"node", 42},
            .clock = 100,
            .delta = std::move(delta)};
}

Delta changes() {
    return {.from = 3,
            .to = 9,
            .entries = {{4, "room:1", "ada", some_text("\"a\":1,")}, {9, "r", "", some_text("")}},
            .removed = {1, 3}};
}

}  // namespace

TEST(PresenceWire, carries_every_kind_of_message) {
    const Delta part{.kind = Delta::Kind::part, .from = 2, .to = 5, .as_of = 50};
    const TrackerMessage all[] = {
        {.kind = Kind::hello, .from = {"n", 1}},
        {.kind = Kind::goodbye, .from = {"n", UINT64_MAX}},
        {.kind = Kind::news, .group = 255, .from = {"n", 1}, .clock = 5},
        {.kind = Kind::request, .from = {"n", 1}, .to = {"m", 2}, .request = {1, 2, 3}},
        news(changes()),
        news(part),
    };
    for (const TrackerMessage& message : all) {
        const std::string bytes = encode_tracker_message(message);
        Result<TrackerMessage> got = decode_tracker_message(bytes);
        ASSERT_TRUE(got);
        EXPECT_EQ(*got, message);
        EXPECT_EQ(peek_tracker_message(bytes)->group, message.group);
        for (std::size_t length = 0; length < bytes.size(); ++length)
            EXPECT_FALSE(decode_tracker_message(std::string_view(bytes).substr(0, length)));
        EXPECT_FALSE(decode_tracker_message(bytes + "x"));
    }
}

TEST(PresenceWire, refuses_what_would_break_a_state_or_a_client) {
    std::vector<Delta> bad(8, changes());
    bad[0].to = 8;                                              // an entry behind its end
    bad[1].from = 4;                                            // and before its beginning
    bad[2].removed = {3, 1};                                    // out of order
    bad[3].removed = {4};                                       // not from before
    bad[4].entries[0].text.fields = "\"a\":1";                  // no comma
    bad[5].entries[0].text.fields = "\"a\":1},\"x\":{\"b\":,";  // another object
    bad[6].entries[0].text.ref[3] = '"';
    bad[7].to = 101;  // behind the clock
    for (const Delta& delta : bad)
        EXPECT_FALSE(decode_tracker_message(encode_tracker_message(news(delta))));
    EXPECT_FALSE(
        decode_tracker_message(encode_tracker_message({.kind = Kind::hello, .from = {"", 1}})));
}

}  // namespace bennu::presence::detail
