#include "bennu/pubsub/presence_metas.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bennu/base/events.hpp"
#include "bennu/pubsub/presence_table.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::presence_metas_test {

using namespace std::chrono_literals;
using presence::Changed;

struct Viewer {
    int page = 1;
};
BENNU_RECORD(Viewer, page)

/// What a hook was told, as `key +1 -2 =3,4` with the pages that came, went and are there.
struct Told {
    std::vector<std::string> calls;
    Duration takes = 0ms;
    int at_once = 0, most_at_once = 0;

    static std::string pages(std::string_view sign, const std::vector<Viewer>& metas) {
        std::string all;
        for (const Viewer& meta : metas)
            all += (all.empty() ? "" : ",") + std::to_string(meta.page);
        return all.empty() ? all : " " + std::string(sign) + all;
    }
    Task<Result<>> note(std::vector<Changed<Viewer>> changes) {
        most_at_once = std::max(most_at_once, ++at_once);
        std::string call;
        for (const Changed<Viewer>& one : changes) {
            call += (call.empty() ? "" : "; ") + one.key + pages("+", one.joins) +
                    pages("-", one.leaves) + pages("=", one.metas);
        }
        calls.push_back(call);
        if (takes > 0ms) co_await bennu::sleep(takes);
        --at_once;
        co_return {};
    }
    presence::MetasHook hook() {
        return [this](Topic, std::vector<Changed<Viewer>> changes) -> Task<Result<>> {
            co_return co_await note(std::move(changes));
        };
    }
    std::vector<std::string> take() { return std::exchange(calls, {}); }
};

using Calls = std::vector<std::string>;

TEST(PresenceMetas, who_comes_and_goes_is_told_with_what_is_there_afterwards) {
    Told told;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        presence::handle_metas_with("room:*", told.hook());
        auto elsewhere = presence::track("elsewhere", "ada", Viewer{9});
        auto ada = presence::track("room:1", "ada", Viewer{1});
        auto bob = presence::track("room:1", "bob", Viewer{2});
        auto other = presence::track("room:1", "other", Json::object({{"page", "none"}}));
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), (Calls{"ada +1 =1; bob +2 =2"}));
        auto tab = presence::track("room:1", "ada", Viewer{3});
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), (Calls{"ada +3 =1,3"}));
        bob.update(Viewer{4});
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), (Calls{"bob +4 -2 =4"}));
        ada.untrack();
        bob.untrack();
        other.untrack();
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), (Calls{"ada -1 =3; bob -4"}));
        // Another hook for the pattern, and none.
        Told second;
        presence::handle_metas_with("room:*", second.hook());
        tab.untrack();
        co_await bennu::sleep(100ms);
        EXPECT_EQ(second.take(), (Calls{"ada -3"}));
        presence::handle_metas_with("room:*", {});
        auto late = presence::track("room:1", "late", Viewer{1});
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), Calls());
        EXPECT_EQ(second.take(), Calls());
        co_return {};
    });
}

namespace {

Json last_seen;

Task<Result<>> by_hand(Topic topic, std::vector<Changed<Json>> changes) {
    last_seen = Json::object({{"topic", topic.view()}, {"meta", changes.at(0).joins.at(0)}});
    co_return {};
}

}  // namespace

TEST(PresenceMetas, a_hook_may_be_a_function_of_json) {
    finishes({.shards = 1}, []() -> Task<Result<>> {
        presence::handle_metas_with("*", &by_hand);
        auto one = presence::track("t", "ada", Json::object({{"a", 1}}));
        co_await bennu::sleep(1ms);
        EXPECT_EQ(last_seen["topic"], Json("t"));
        EXPECT_EQ(last_seen["meta"]["a"], Json(1));
        EXPECT_EQ(last_seen["meta"]["phx_ref"].as_string().size(), 16U);
        co_return {};
    });
    last_seen = {};
}

TEST(PresenceMetas, what_changes_while_a_call_runs_is_gathered_for_the_next) {
    Told told{.calls = {}, .takes = 3s};
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        presence::handle_metas_with("room", told.hook());
        auto first = presence::track("room", "first", Viewer{1});
        co_await bennu::sleep(1s);
        for (int i = 0; i < 10; ++i) {
            first.update(Viewer{10 + i});
            auto brief = presence::track("room", "brief" + std::to_string(i), Viewer{});
            co_await bennu::sleep(100ms);
        }
        // Neither clients nor the state wait for it.
        EXPECT_EQ((co_await presence::get_by_key_as<Viewer>("room", "first")).at(0).page, 19);
        EXPECT_EQ(told.calls, (Calls{"first +1 =1"}));
        co_await bennu::sleep(5s);
        EXPECT_EQ(told.calls, (Calls{"first +1 =1", "first +19 -1 =19"}));
        EXPECT_EQ(told.most_at_once, 1);
        co_return {};
    });
}

TEST(PresenceMetas, a_slow_topic_delays_no_other) {
    Calls calls;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        presence::handle_metas_with(
            "*", [&](Topic topic, std::vector<Changed<Viewer>>) -> Task<Result<>> {
                if (topic == "slow") co_await bennu::sleep(1s);
                calls.push_back(topic.str());
                co_return {};
            });
        auto slow = presence::track("slow", "ada", Viewer{});
        co_await bennu::sleep(1ms);
        auto quick = presence::track("quick", "ada", Viewer{});
        co_await bennu::sleep(2s);
        EXPECT_EQ(calls, (Calls{"quick", "slow"}));
        co_return {};
    });
}

TEST(PresenceMetas, an_error_a_fault_or_a_late_call_ends_that_call_alone) {
    Calls calls, outcomes;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        const Subscription heard =
            subscribe_events("pubsub.presence.metas", [&](const EventView& event) {
                for (const Attribute& attribute : event.metadata) {
                    if (attribute.key == "outcome")
                        outcomes.emplace_back(std::get<std::string_view>(attribute.value.data()));
                }
            });
        presence::handle_metas_with(
            "*", {[&](Topic, std::vector<Changed<Viewer>> changes) -> Task<Result<>> {
                      const std::string key = changes.at(0).key;
                      if (key == "error") co_return Error(ErrorKind::unavailable, "no database");
                      if (key == "fault") throw std::runtime_error("a bug");
                      if (key == "late") co_await bennu::sleep(1h);
                      calls.push_back(key);
                      co_return {};
                  },
                  {.deadline = 2s}});
        std::vector<presence::Tracked> people;
        for (const char* key : {"error", "fault", "late", "ada"}) {
            people.push_back(presence::track("room", key, Viewer{}));
            co_await bennu::sleep(1s);
        }
        co_await bennu::sleep(2s);
        EXPECT_EQ(calls, (Calls{"ada"}));
        EXPECT_EQ(outcomes, (Calls{"error", "ended", "timeout", "ok"}));
        co_return {};
    });
}

TEST(PresenceMetas, it_does_not_wait_for_a_fetch) {
    Told told;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        presence::fetch_with(
            "*",
            [](Topic,
               std::vector<presence::Present<Viewer>>) -> Task<Result<presence::Fetched<Json>>> {
                co_await bennu::sleep(1s);
                co_return presence::Fetched<Json>();
            });
        presence::handle_metas_with("*", told.hook());
        auto ada = presence::track("room", "ada", Viewer{1});
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), (Calls{"ada +1 =1"}));
        ada.update(Viewer{2});
        co_await bennu::sleep(3s);
        EXPECT_EQ(told.take(), (Calls{"ada +2 -1 =2"}));
        co_return {};
    });
}

TEST(PresenceMetas, people_of_other_nodes_are_told_and_one_that_returns_within_a_window_is_not) {
    Told told;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        using namespace presence::detail;
        presence::handle_metas_with("*", told.hook());
        auto& table = shard_local<PresenceTable>();
        const Place place{"room", "ada", remote_ids | 7};
        const EntryText text{new_ref(), "\"page\":1,"};
        table.apply({.joins = {{place, text}}, .leaves = {}});
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), (Calls{"ada +1 =1"}));
        table.leave_remote({place});
        table.apply({.joins = {{place, text}}, .leaves = {}});
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), Calls());
        table.drop_remote();
        co_await bennu::sleep(100ms);
        EXPECT_EQ(told.take(), (Calls{"ada -1"}));
        co_return {};
    });
}

/// Somebody who is present, on any shard.
struct Guest : Server {
    struct Turn {
        int page;
    };
    explicit Guest(std::string k) : key(std::move(k)) {}
    Task<Result<>> init() {
        present = presence::track("room", key, Viewer{0});
        co_return {};
    }
    void handle(Turn turn) { present.update(Viewer{turn.page}); }
    std::string key;
    presence::Tracked present;
};

/// What a hook that only adds and takes away knows, by key: the refs.
struct Book {
    std::map<std::string, std::set<std::string>> present;

    static std::string ref(const Json& meta) { return std::string(meta["phx_ref"].as_string()); }
    void take(const std::vector<Changed<Json>>& changes) {
        for (const Changed<Json>& one : changes) {
            std::set<std::string>& refs = present[one.key];
            EXPECT_FALSE(one.joins.empty() && one.leaves.empty());
            for (const Json& meta : one.leaves) EXPECT_EQ(refs.erase(ref(meta)), 1U) << "not there";
            for (const Json& meta : one.joins)
                EXPECT_TRUE(refs.insert(ref(meta)).second) << "twice";
            std::set<std::string> now;
            for (const Json& meta : one.metas) now.insert(ref(meta));
            EXPECT_EQ(refs, now);
            if (refs.empty()) present.erase(one.key);
        }
    }
};

// Whoever adds what comes and takes away what goes has what `metas` says, after every call, and the
// state in the end.
BENNU_SIM_TEST(PresenceMetas, the_calls_of_a_topic_add_up_to_its_state, sim) {
    sim.shards = 3;
    Book book;
    finishes(sim, [&]() -> Task<Result<>> {
        presence::handle_metas_with(
            "room", [&](Topic, std::vector<Changed<Json>> changes) -> Task<Result<>> {
                book.take(changes);
                if (random().chance(0.5))
                    co_await bennu::sleep(std::chrono::milliseconds(random().below(300)));
                co_return {};
            });
        std::vector<Ref<Guest>> guests;
        auto* all = &guests;
        for (int step = 0; step < 150; ++step) {
            const std::uint64_t what = random().below(5);
            if (what < 2) {
                auto box = std::make_shared<Ref<Guest>>();
                post(static_cast<std::uint8_t>(random().below(3)),
                     [box, key = std::to_string(random().below(6))] { *box = spawn<Guest>(key); });
                while (!*box) co_await bennu::sleep(1ms);
                all->push_back(*box);
            } else if (!guests.empty()) {
                const Ref<Guest> one = guests[random().below(guests.size())];
                if (what == 2) {
                    cast(one, Guest::Turn{step});
                } else {
                    kill(one.pid());
                }
            }
            if (random().chance(0.5))
                co_await bennu::sleep(std::chrono::milliseconds(random().below(40)));
        }
        co_await bennu::sleep(2s);
        std::map<std::string, std::set<std::string>> expected;
        const Json state = co_await presence::list("room");
        for (const JsonMember& one : state.as_object()) {
            for (const Json& meta : one.value["metas"].as_array())
                expected[one.key].insert(Book::ref(meta));
        }
        EXPECT_EQ(book.present, expected);
        for (const auto& [key, refs] : expected)
            EXPECT_EQ((co_await presence::get_by_key("room", key)).size(), refs.size());
        co_return {};
    });
}

}  // namespace bennu::presence_metas_test
