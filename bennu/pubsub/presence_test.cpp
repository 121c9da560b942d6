#include "bennu/pubsub/presence.hpp"

#include <gtest/gtest.h>

#include <map>

#include "bennu/pubsub/presence_table.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::presence_test {

using namespace std::chrono_literals;

struct Person : Server {
    Person(std::string t, std::string k) : topic(std::move(t)), key(std::move(k)) {}
    struct Status {
        std::string text;
    };
    Task<Result<>> init() {
        present = presence::track(topic, key, Json::object({{"status", "here"}}));
        co_return {};
    }
    void handle(Status status) {
        present.update(Json::object({{"status", status.text}, {"phx_ref", "forged"}}));
    }

    std::string topic, key;
    presence::Tracked present;
};

/// What a client of npm `phoenix` keeps: the set of refs under each key.
struct Watcher : Server {
    struct Seen {
        using Reply = Json;
    };
    struct Diffs {
        using Reply = int;
    };
    explicit Watcher(std::string t) : topic(std::move(t)) {}
    Task<Result<>> init() {
        subscription = pubsub::subscribe(Ref<Watcher>(self()), topic);
        co_return {};
    }
    void handle(Broadcast diff) {
        ++diffs;
        for (const JsonMember& join : diff.payload()["joins"].as_object()) {
            if (!state.contains(join.key)) state.set(join.key, Json::object());
            for (const Json& meta : join.value["metas"].as_array()) {
                state.find(join.key)->set(meta["phx_ref"].as_string(), meta);
            }
        }
        for (const JsonMember& leave : diff.payload()["leaves"].as_object()) {
            Json* metas = state.find(leave.key);
            if (!metas) continue;
            for (const Json& meta : leave.value["metas"].as_array())
                metas->erase(meta["phx_ref"].as_string());
            if (metas->size() == 0) state.erase(leave.key);
        }
    }
    Json handle(Seen) { return state; }
    int handle(Diffs) { return diffs; }

    std::string topic;
    Json state = Json::object();
    int diffs = 0;
    pubsub::Subscription subscription;
};

std::vector<std::string> refs_of(const Json& list) {
    std::vector<std::string> refs;
    for (const JsonMember& entry : list.as_object()) {
        for (const Json& meta : entry.value["metas"].as_array()) {
            refs.push_back(entry.key + " " + std::string(meta["phx_ref"].as_string()));
        }
    }
    std::ranges::sort(refs);
    return refs;
}

std::vector<std::string> refs_seen(const Json& seen) {
    std::vector<std::string> refs;
    for (const JsonMember& entry : seen.as_object()) {
        for (const JsonMember& meta : entry.value.as_object())
            refs.push_back(entry.key + " " + meta.key);
    }
    std::ranges::sort(refs);
    return refs;
}

TEST(Presence, tracks_updates_and_forgets_with_the_process) {
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        Topic topic("room:1");
        auto ada =
            *co_await start<Person>(SpawnOptions{}, std::string("room:1"), std::string("ada"));
        auto tab =
            *co_await start<Person>(SpawnOptions{}, std::string("room:1"), std::string("ada"));
        auto bob =
            *co_await start<Person>(SpawnOptions{}, std::string("room:1"), std::string("bob"));
        Json state = co_await presence::list(topic);
        EXPECT_EQ(state.size(), 2u);
        EXPECT_EQ(state["ada"]["metas"].size(), 2u);
        std::string before(state["bob"]["metas"][0]["phx_ref"].as_string());
        EXPECT_EQ(before.size(), 16u);

        cast(bob, Person::Status{"away"});
        co_await sleep(1ms);
        state = co_await presence::list(topic);
        const Json& meta = state["bob"]["metas"][0];
        EXPECT_EQ(meta["status"], Json("away"));
        EXPECT_EQ(meta["phx_ref_prev"], Json(before));
        EXPECT_NE(meta["phx_ref"], Json(before));
        EXPECT_NE(meta["phx_ref"], Json("forged"));

        kill(tab.pid());
        kill(bob.pid());
        state = co_await presence::list(topic);
        EXPECT_EQ(state.size(), 1u);
        EXPECT_EQ(state["ada"]["metas"].size(), 1u);
        kill(ada.pid());
        EXPECT_EQ(co_await presence::count(topic), 0u);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

TEST(Presence, gathers_changes_of_a_busy_topic) {
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        auto watcher = *co_await start<Watcher>(SpawnOptions{}, std::string("busy"));
        std::vector<Ref<Person>> people;
        for (int i = 0; i < 200; ++i) {
            people.push_back(spawn<Person>("busy", "p" + std::to_string(i)));
            co_await sleep(1ms);
        }
        co_await sleep(100ms);
        EXPECT_EQ((co_await call(watcher, Watcher::Seen{})).size(), 200u);
        EXPECT_LE(co_await call(watcher, Watcher::Diffs{}), 8);
        // Somebody who comes and goes within a window that nobody looked into is not mentioned.
        co_await sleep(100ms);
        kill(people[0].pid());
        co_await sleep(5ms);
        int before = co_await call(watcher, Watcher::Diffs{});
        auto brief = spawn<Person>("busy", "brief");
        co_await sleep(5ms);
        kill(brief.pid());
        co_await sleep(200ms);
        EXPECT_EQ(co_await call(watcher, Watcher::Diffs{}), before);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

// Whoever takes the state at any moment and applies the diffs from then on agrees with the table in
// the end.
BENNU_SIM_TEST(Presence, state_and_diffs_agree_on_every_shard, sim) {
    sim.shards = 3;
    auto outcome = simulate(sim, [&]() -> Task<Result<>> {
        Topic topic("room:sim");
        std::vector<Ref<Person>> people;
        std::vector<Ref<Watcher>> watchers;
        auto* made = &people;
        auto* seeing = &watchers;
        for (int step = 0; step < 120; ++step) {
            auto shard = static_cast<std::uint8_t>(random().below(3));
            switch (random().below(5)) {
                case 0:
                case 1: {
                    auto box = std::make_shared<Ref<Person>>();
                    post(shard, [box, key = std::to_string(random().below(6))] {
                        *box = spawn<Person>("room:sim", key);
                    });
                    while (!*box) co_await sleep(1ms);
                    made->push_back(*box);
                    break;
                }
                case 2:
                    if (!people.empty())
                        cast(people[random().below(people.size())], Person::Status{"changed"});
                    break;
                case 3:
                    if (!people.empty()) kill(people[random().below(people.size())].pid());
                    break;
                default:
                    if (watchers.size() < 5) {
                        // Like a channel: subscribes first, then takes the state.
                        auto watcher = spawn<Watcher>("room:sim");
                        presence::with_state(topic, [watcher](const std::string& state) {
                            cast(watcher, Broadcast("", "state",
                                                    Payload::from_text("{\"joins\":" + state +
                                                                       ",\"leaves\":{}}")));
                        });
                        seeing->push_back(watcher);
                    }
            }
            if (random().chance(0.5)) co_await sleep(std::chrono::milliseconds(random().below(40)));
        }
        co_await sleep(1s);
        auto expected = refs_of(co_await presence::list(topic));
        for (auto watcher : watchers) {
            EXPECT_EQ(refs_seen(co_await call(watcher, Watcher::Seen{})), expected);
        }
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

struct Viewer {
    std::string name;
    int page = 1;
};
BENNU_RECORD(Viewer, name, page)

TEST(Presence, metas_may_be_records) {
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        Topic topic("assets");
        auto ada = presence::track(topic, "ada", Viewer{"Ada", 2});
        auto other = presence::track(topic, "other", Json::object({{"page", "none"}}));
        ada.update(Viewer{"Ada", 3});
        auto all = co_await presence::list_as<Viewer>(topic);
        EXPECT_EQ(all.size(), 1u);
        if (all.empty()) co_return {};
        EXPECT_EQ(all[0].key, "ada");
        EXPECT_EQ(all[0].metas.at(0).name, "Ada");
        EXPECT_EQ(all[0].metas.at(0).page, 3);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

TEST(Presence, who_is_under_one_key_is_read_without_the_rest) {
    finishes({.shards = 3}, [&]() -> Task<Result<>> {
        for (const char* name : {"a", "b", "c", "d"}) {  // on any shard
            Topic topic(name);
            auto ada = presence::track(topic, "ada", Viewer{"Ada", 2});
            auto tab = presence::track(topic, "ada", Viewer{"Ada", 3});
            auto odd = presence::track(topic, "ada", Json::object({{"page", "none"}}));
            auto bob = presence::track(topic, "bob", Viewer{"Bob", 4});
            const std::vector<Json> metas = co_await presence::get_by_key(topic, "ada");
            EXPECT_EQ(metas.size(), 3U);
            EXPECT_EQ(metas.at(0)["page"], Json(2));
            EXPECT_EQ(metas.at(0)["phx_ref"].as_string().size(), 16U);
            const auto typed = co_await presence::get_by_key_as<Viewer>(topic, "ada");
            EXPECT_EQ(typed.size(), 2U);
            EXPECT_EQ(typed.at(1).page, 3);
            tab.untrack();
            ada.untrack();
            EXPECT_EQ((co_await presence::get_by_key(topic, "ada")).size(), 1U);
            EXPECT_TRUE((co_await presence::get_by_key(topic, "carol")).empty());
        }
        EXPECT_TRUE((co_await presence::get_by_key("nowhere", "ada")).empty());
        co_return {};
    });
}

TEST(Presence, a_long_state_is_read_over_many_turns) {
    presence::detail::StateText text;
    for (int i = 0; i < 20'000; ++i)
        text.add("person " + std::to_string(i), "{\"phx_ref\":\"0123456789abcdef\"}", nullptr);
    text.finish();
    presence::detail::StateReader state(
        make_shared_value<presence::detail::StateText>(std::move(text)));
    std::size_t in_turn = 0, most = 0, keys = 0;
    while (state.more()) {
        EXPECT_EQ(state.next().key, "person " + std::to_string(keys++));
        most = std::max(most, ++in_turn);
        if (state.pause_due()) in_turn = 0;
    }
    EXPECT_EQ(keys, 20'000U);
    EXPECT_LE(most, 600U);
}

TEST(Presence, a_late_joiner_costs_the_encoding_of_what_has_changed) {
    auto outcome = simulate({.shards = 1}, []() -> Task<Result<>> {
        Topic topic("stadium");
        auto ask = [topic]() -> Task<std::pair<std::size_t, Json>> {
            Shared<presence::detail::StateText> state;
            shard_local<presence::detail::PresenceTable>().ask(
                topic, {.shard = 0,
                        .use = [&](const auto& told) { state = told; },
                        .asker = presence::detail::Asker::client});
            while (!state) co_await sleep(1ms);
            co_return std::pair(state->encoded(), parse_json(state->text()).value());
        };
        std::map<std::string, presence::Tracked> people;
        for (int n = 0; n < 1000; ++n) {
            const std::string key = "person \"" + std::to_string(n);
            people.emplace(key, presence::track(topic, key, Viewer{"somebody", n}));
        }
        EXPECT_EQ((co_await ask()).first, 1000U);
        co_await sleep(100ms);
        const std::size_t again = (co_await ask()).first;
        people.emplace("late", presence::track(topic, "late", Viewer{"late", 1}));
        auto [encoded, state] = co_await ask();
        EXPECT_EQ(again, 1000U);  // the same text
        EXPECT_EQ(encoded, 1U);
        EXPECT_EQ(state.size(), 1001U);
        // Whatever comes and goes: the text is what it would be if it were written anew.
        for (int round = 0; round < 50; ++round) {
            const std::size_t changes = random().below(4);
            for (std::size_t n = 0; n < changes; ++n) {
                const std::string key = "person \"" + std::to_string(random().below(1010));
                auto present = people.find(key);
                if (present == people.end()) {
                    people.emplace(key, presence::track(topic, key, Viewer{"new", 1}));
                } else if (random().chance(0.5)) {
                    present->second.update(Viewer{"moved", round});
                } else {
                    people.erase(present);
                }
            }
            if (round % 3 == 0) co_await sleep(100ms);
            std::tie(encoded, state) = co_await ask();
            if (changes > 0) EXPECT_LE(encoded, changes);
            EXPECT_EQ(state.size(), people.size());
            for (const auto& [key, tracked] : people) EXPECT_TRUE(state.contains(key));
            EXPECT_EQ(to_json(state), to_json(co_await presence::list(topic)));
        }
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

TEST(Presence, others_run_while_a_long_state_is_read) {
    int turns = 0;  // what counts them outlives main
    auto outcome = simulate({.shards = 1}, [&]() -> Task<Result<>> {
        Topic topic("stadium");
        std::vector<presence::Tracked> people;
        for (int i = 0; i < 5'000; ++i)
            people.push_back(presence::track(topic, std::to_string(i), Viewer{"somebody", i}));
        co_await sleep(100ms);
        spawn_task([&turns]() -> Task<> {
            for (;;) {
                ++turns;
                co_await yield_now();
            }
        });
        const std::size_t bytes = to_json(co_await presence::list(topic)).size();
        const int needed = static_cast<int>(bytes / presence::detail::Pace::bytes_a_turn);
        EXPECT_GE(needed, 10);
        int before = turns;
        EXPECT_EQ((co_await presence::list(topic)).size(), 5'000U);
        EXPECT_GE(turns - before, needed);
        before = turns;
        EXPECT_EQ((co_await presence::list_as<Viewer>(topic)).size(), 5'000U);
        EXPECT_GE(turns - before, needed);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

TEST(Presence, refuses_a_meta_that_is_no_object) {
    simulate({}, [&]() -> Task<Result<>> {
        EXPECT_THROW((void)presence::track("t", "k", Json(1)), std::logic_error);
        co_return {};
    });
}

}  // namespace bennu::presence_test
