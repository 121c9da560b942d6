#include "bennu/pubsub/presence.hpp"

#include <gtest/gtest.h>

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
                        presence::with_state(topic, [watcher](const Shared<std::string>& state) {
                            cast(watcher, Broadcast("", "state",
                                                    Payload::from_text("{\"joins\":" + *state +
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

TEST(Presence, refuses_a_meta_that_is_no_object) {
    simulate({}, [&]() -> Task<Result<>> {
        EXPECT_THROW((void)presence::track("t", "k", Json(1)), std::logic_error);
        co_return {};
    });
}

}  // namespace bennu::presence_test
