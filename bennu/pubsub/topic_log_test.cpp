#include "bennu/pubsub/topic_log.hpp"

#include <gtest/gtest.h>

#include "bennu/pubsub/broadcast_wire.hpp"
#include "bennu/pubsub/mark.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::pubsub::detail {

using namespace std::chrono_literals;

namespace {

using Kind = Resumption::Kind;
using Arrival = TopicLog::Arrival;

const Instant start = Instant{} + 1h;

Broadcast message(const Mark& mark, std::size_t bytes = 0) {
    std::string object = R"({"text":")" + std::string(bytes, 'x') + "\"}";
    append_mark(object, mark);
    return Broadcast("room:1", "said", std::move(object), mark);
}

Broadcast publish(TopicLog& log, Instant at = start, std::size_t bytes = 0) {
    Broadcast own = message(log.next(), bytes);
    log.append(own, at);
    return own;
}

/// Logs draw their epochs from the shard's generator.
void on_a_shard(Function<void()> test) {
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        test();
        co_return {};
    });
}

std::vector<std::uint64_t> sequences(const Resumption& told) {
    std::vector<std::uint64_t> all;
    for (const Broadcast& missed : told.missed) all.push_back(missed.mark().sequence);
    return all;
}
std::vector<std::uint64_t> list(std::initializer_list<std::uint64_t> all) {
    return all;
}

}  // namespace

TEST(TopicLog, gives_exactly_what_was_missed) {
    on_a_shard([] {
        TopicLog log({});
        const std::string own = log.next().epoch;
        EXPECT_EQ(log.resume({}, start).position, (Position{{own, 0}}));
        for (int i = 0; i < 5; ++i) publish(log);
        EXPECT_EQ(log.arrive(message({"other", 1}), start), Arrival::next);
        publish(log);
        Resumption told = log.resume(Position{{own, 3}}, start);
        EXPECT_EQ(told.kind, Kind::resumed);
        EXPECT_EQ(sequences(told), list({4, 5, 1, 6}));
        // Where it stands before what it missed.
        EXPECT_EQ(told.position, (Position{{own, 3}, {"other", 0}}));
        told = log.resume(log.position(), start);
        EXPECT_EQ(told.kind, Kind::resumed);
        EXPECT_TRUE(told.missed.empty());
        told = log.resume({}, start);
        EXPECT_EQ(told.kind, Kind::fresh);
        EXPECT_TRUE(told.missed.empty());
        EXPECT_EQ(told.position, (Position{{own, 6}, {"other", 1}}));
    });
}

TEST(TopicLog, says_so_when_it_kept_too_little) {
    on_a_shard([] {
        TopicLog few({.keep = 3});
        const std::string own = few.next().epoch;
        for (int i = 0; i < 10; ++i) publish(few);
        EXPECT_EQ(few.resume(Position{{own, 6}}, start).kind, Kind::resync);
        EXPECT_EQ(sequences(few.resume(Position{{own, 7}}, start)), list({8, 9, 10}));

        TopicLog brief({.keep_for = 10s});
        const std::string name = brief.next().epoch;
        publish(brief, start);
        publish(brief, start + 5s);
        EXPECT_EQ(sequences(brief.resume(Position{{name, 0}}, start + 9s)), list({1, 2}));
        EXPECT_EQ(brief.resume(Position{{name, 0}}, start + 10s).kind, Kind::resync);
        EXPECT_EQ(sequences(brief.resume(Position{{name, 1}}, start + 10s)), list({2}));
        brief.trim(start + 1h);
        EXPECT_EQ(brief.size(), 0U);
        EXPECT_EQ(brief.bytes(), 0U);
        EXPECT_EQ(brief.resume(Position{{name, 2}}, start + 1h).kind, Kind::resumed);

        TopicLog small({.max_bytes = 10'000});
        for (int i = 0; i < 100; ++i) publish(small, start, 1000);
        EXPECT_LE(small.bytes(), 10'000U);
        EXPECT_GE(small.size(), 3U);
    });
}

TEST(TopicLog, notices_gaps_and_drops_what_it_knows) {
    on_a_shard([] {
        TopicLog log({});
        EXPECT_EQ(log.arrive(message({"a", 1}), start), Arrival::next);
        EXPECT_EQ(log.arrive(message({"a", 2}), start), Arrival::next);
        EXPECT_EQ(log.arrive(message({"a", 2}), start), Arrival::known);
        EXPECT_EQ(log.arrive(message({"a", 5}), start), Arrival::gap);
        EXPECT_EQ(log.position_before({"a", 5})["a"], 4U);
        EXPECT_EQ(log.arrive(message({"a", 4}), start), Arrival::known);
        EXPECT_EQ(log.resume(Position{{"a", 2}}, start).kind, Kind::resync);
        EXPECT_EQ(sequences(log.resume(log.position_before({"a", 5}), start)), list({5}));
        // One that this node hears of late may have said things before.
        EXPECT_EQ(log.arrive(message({"b", 7}), start), Arrival::gap);
        EXPECT_FALSE(log.hear({"b", 7}, start));
        EXPECT_TRUE(log.hear({"b", 8}, start));
        EXPECT_EQ(log.position()["b"], 8U);
        EXPECT_EQ(log.arrive(message({"b", 8}), start), Arrival::known);
        EXPECT_EQ(log.arrive(message({"b", 9}), start), Arrival::next);
    });
}

TEST(TopicLog, trusts_no_position_that_it_cannot_judge) {
    on_a_shard([] {
        TopicLog log({});
        const std::string own = log.next().epoch;
        publish(log);
        log.arrive(message({"a", 1}), start);
        EXPECT_EQ(log.resume(Position{}, start).kind, Kind::resync);
        EXPECT_EQ(log.resume(Position{{"stranger", 1}}, start).kind, Kind::resync);
        EXPECT_EQ(log.resume(Position{{own, 1}, {"stranger", 1}}, start).kind, Kind::resync);
        // Another node was ahead of this one.
        EXPECT_EQ(log.resume(Position{{own, 1}, {"a", 2}}, start).kind, Kind::resync);
        // Nothing of a stranger was seen, and the rest proves that this log was there.
        EXPECT_EQ(log.resume(Position{{own, 1}, {"stranger", 0}}, start).kind, Kind::resumed);
        EXPECT_EQ(sequences(log.resume(Position{{"a", 1}}, start)), list({1}));
        EXPECT_EQ(log.resume(Position{{"a", 0}}, start).kind, Kind::resync);
        EXPECT_EQ(log.resume(Position{{"stranger", 0}}, start).kind, Kind::resync);
    });
}

TEST(TopicLog, after_a_loss_only_who_was_told_may_resume) {
    on_a_shard([] {
        TopicLog log({});
        publish(log);
        log.arrive(message({"a", 1}), start);
        const Position before = log.position();
        log.lose();
        const Position after = log.position();
        EXPECT_EQ(after, (Position{{log.next().epoch, 0}}));
        EXPECT_EQ(log.resume(before, start).kind, Kind::resync);
        EXPECT_EQ(log.resume(after, start).kind, Kind::resumed);
        EXPECT_EQ(log.arrive(message({"a", 1}), start), Arrival::known);
        // Nothing was lost after all: no need to say so again.
        EXPECT_EQ(log.arrive(message({"a", 2}), start), Arrival::next);
        EXPECT_EQ(log.resume(before, start).kind, Kind::resync);
        log.lose();
        EXPECT_EQ(log.arrive(message({"a", 5}), start), Arrival::gap);
    });
}

TEST(TopicLog, remembers_a_bounded_number_of_epochs) {
    on_a_shard([] {
        TopicLog log({});
        const Position first = log.position();
        for (std::size_t i = 0; i < 3 * TopicLog::max_epochs; ++i) {
            log.arrive(message({"e" + std::to_string(i), 1}), start + std::chrono::seconds(i));
            EXPECT_LE(log.position().size(), TopicLog::max_epochs + 1);
        }
        // Its first epochs are forgotten: who has seen none of them could not be told so.
        EXPECT_EQ(log.resume(first, start).kind, Kind::resync);
        for (std::size_t i = 0; i < 3 * TopicLog::max_epochs; ++i) log.lose();
        EXPECT_EQ(log.position().size(), 1U);
    });
}

TEST(TopicLog, announces_ever_more_rarely_how_far_it_is) {
    on_a_shard([] {
        TopicLog log({});
        EXPECT_TRUE(log.announcements(start + 1h).empty());
        publish(log, start);
        const std::string old = log.next().epoch;
        log.lose();
        publish(log, start);
        publish(log, start);
        log.announce(start + 2s);
        int times = 0;
        for (auto at = start; at < start + 1h; at += 1s) {
            const auto marks = log.announcements(at);
            if (marks.empty()) continue;
            ++times;
            EXPECT_EQ(marks.size(), 2U);
            if (marks.size() != 2) continue;
            EXPECT_EQ(marks[0].epoch, old);
            EXPECT_EQ(marks[0].sequence, 1U);
            EXPECT_EQ(marks[1].sequence, 2U);
        }
        EXPECT_EQ(times, 7);
        EXPECT_TRUE(log.has_announced());
    });
}

TEST(Mark, stands_at_the_end_of_an_object) {
    for (std::string text : {"{}", " { } ", R"({"a":1})", R"({"a":{"_at":["e",1]}})",
                             R"({"_at":["old",7],"a":[1]} )", R"({"_at":5})"}) {
        std::optional<std::string> object = markable(text);
        ASSERT_TRUE(object) << text;
        append_mark(*object, {"e-1_", 18});
        Result<Json> parsed = parse_json(*object);
        ASSERT_TRUE(parsed) << *object;
        EXPECT_EQ((*parsed)["_at"], Json::array({"e-1_", 18})) << *object;
        std::optional<Mark> mark = read_mark(*object);
        ASSERT_TRUE(mark) << *object;
        EXPECT_EQ(mark->epoch, "e-1_");
        EXPECT_EQ(mark->sequence, 18U);
    }
    for (std::string text : {"", " ", "5", "[1]", "null", "\"{}\""}) EXPECT_FALSE(markable(text));
    for (std::string_view text :
         {"", "{}", R"({"_at":["",1]})", R"({"_at":["e",0]})", R"({"_at":["e",01]})",
          R"({"_at":["e",-1]})", R"({"_at":["e"]})", R"({"_at":["e",1],"b":2})",
          R"({"_at":["e",9007199254740992]})", R"({"x_at":["e",1]})", R"({"a":["_at":["e",1]})",
          R"({"_at":["sixteen-letters!",1]})", R"(["_at":["e",1]])"})
        EXPECT_FALSE(read_mark(text)) << text;
}

TEST(Position, reads_only_what_it_wrote) {
    const Position position{{"a", 0}, {"b", 17}};
    EXPECT_EQ(read_position(to_json_value(position)), position);
    EXPECT_EQ(read_position(Json::object()), Position());
    for (const char* bad : {"null", "[]", R"({"a":-1})", R"({"a":1.5})", R"({"a":"1"})",
                            R"({"a b":1})", R"({"":1})", R"({"a":9007199254740992})"})
        EXPECT_FALSE(read_position(*parse_json(bad))) << bad;
    Json many = Json::object();
    for (int i = 0; i < 257; ++i) many.set("e" + std::to_string(i), 1);
    EXPECT_FALSE(read_position(many));
}

TEST(BroadcastWire, carries_marks) {
    const Broadcast sent = message({"epoch", 7}, 3);
    Result<Broadcast> got = decode_broadcast(encode_broadcast(sent));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->data(), sent.data());
    EXPECT_EQ(got->mark().epoch, "epoch");
    EXPECT_EQ(got->mark().sequence, 7U);
    std::string bytes = encode_broadcast(Broadcast("t", "e", Json::object({{"a", 1}})));
    EXPECT_FALSE(decode_broadcast(bytes)->mark());
    bytes[1] = 2;
    EXPECT_FALSE(decode_broadcast(bytes));
}

}  // namespace bennu::pubsub::detail
