#include "bennu/pubsub/presence_fetch_test.hpp"

namespace bennu::presence_fetch_test {

// However slow fetches are, and whatever becomes of them: who takes the state at any moment and
// applies the diffs from then on agrees with the table in the end, and knows of everybody what the
// fetches bring.
BENNU_SIM_TEST(PresenceFetch, states_and_diffs_keep_their_order_whatever_fetches_do, sim) {
    sim.shards = 3;
    LogCapture quiet(LogLevel::off);
    finishes(sim, []() -> Task<Result<>> {
        bool trouble = true;
        auto hook = [&](Topic,
                        std::vector<Present<Viewer>> people) -> Task<Result<Fetched<Known>>> {
            if (random().chance(0.7))
                co_await bennu::sleep(std::chrono::milliseconds(random().below(200)));
            if (trouble && random().chance(0.2)) throw std::runtime_error("fails on purpose");
            if (trouble && random().chance(0.2)) co_return Error(ErrorKind::unavailable);
            Fetched<Known> known;
            for (const auto& one : people) known[one.key] = {.user = {.name = "Dr " + one.key}};
            co_return known;
        };
        presence::fetch_with("room", {hook, {.deadline = 200ms}});
        co_await bennu::sleep(1ms);
        std::vector<presence::Tracked> people;
        std::vector<Ref<Client>> clients;
        for (int step = 0; step < 150; ++step) {
            switch (random().below(4)) {
                case 0:
                case 1:
                    people.push_back(presence::track(
                        "room", "k" + std::to_string(random().below(6)), Viewer{step}));
                    break;
                case 2:
                    if (people.empty()) break;
                    std::swap(people[random().below(people.size())], people.back());
                    if (random().chance(0.5)) {
                        people.pop_back();
                    } else {
                        people.back().update(Viewer{step});
                    }
                    break;
                default:
                    if (clients.size() < 8) clients.push_back(spawn<Client>("room"));
            }
            if (random().chance(0.4))
                co_await bennu::sleep(std::chrono::milliseconds(random().below(60)));
        }
        trouble = false;
        co_await bennu::sleep(2min);
        const Json state = co_await presence::list("room");
        std::map<std::string, std::string> expected, names;
        for (const JsonMember& one : state.as_object()) {
            names[one.key] = "Dr " + one.key;
            for (const Json& meta : one.value["metas"].as_array())
                expected.emplace(meta["phx_ref"].as_string(), one.key);
        }
        EXPECT_EQ(expected.size(), people.size());
        for (auto client : clients) {
            const Json shown = co_await call(client, Client::Show{});
            std::map<std::string, std::string> seen;
            for (const JsonMember& meta : shown.as_object())
                seen.emplace(meta.key, meta.value.as_string());
            EXPECT_EQ(seen, expected);
            EXPECT_EQ(co_await call(client, Client::Names{}), names);
        }
        co_return {};
    });
}

TEST(PresenceFetch, one_that_fails_shows_people_without_what_it_would_bring) {
    Outcomes outcomes;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        LogCapture log;
        std::string how;
        Database database{.queries = {}, .takes = 1h};
        presence::fetch_with(
            "room",
            {[&](Topic, std::vector<Present<Viewer>> people) -> Task<Result<Fetched<Known>>> {
                 if (how == "fault") throw std::runtime_error("no such table");
                 if (how == "error") co_return Error(ErrorKind::unavailable, "down");
                 co_return co_await database.users(std::move(people));
             },
             {.deadline = 200ms}});
        auto client = *co_await start<Client>(SpawnOptions{}, std::string("room"));
        std::vector<presence::Tracked> people;
        std::size_t diffs = 0;
        for (std::string outcome : {"fault", "error", "timeout"}) {
            how = outcome;
            people.push_back(presence::track("room", outcome, Viewer{7}));
            co_await bennu::sleep(300ms);
            const std::vector<Json> seen = co_await call(client, Client::Diffs{});
            EXPECT_EQ(seen.size(), ++diffs);
            EXPECT_EQ(seen.back()["joins"][outcome].size(), 1U);
            EXPECT_EQ(seen.back()["joins"][outcome]["metas"][0]["page"], Json(7));
            EXPECT_EQ(outcomes.count[outcome], 1);
        }
        EXPECT_EQ(database.cancelled, 1);
        EXPECT_EQ((co_await presence::list("room")).size(), 3U);
        // One line for all of the first second.
        EXPECT_TRUE(log.contains("no such table"));
        EXPECT_FALSE(log.contains("down"));
        // And as it was, once it works again.
        database.takes = 0ms;
        people.push_back(presence::track("room", "ada", Viewer{}));
        co_await bennu::sleep(100ms);
        EXPECT_EQ((co_await presence::list("room"))["fault"]["user"]["name"],
                  Json("name of fault"));
        co_return {};
    });
}

TEST(PresenceFetch, what_one_that_failed_would_have_brought_comes_once_it_works_again) {
    Outcomes outcomes;
    finishes({.shards = 1, .limit = 3h}, [&]() -> Task<Result<>> {
        LogCapture quiet(LogLevel::off);
        Database database;
        bool down = false;
        presence::fetch_with(
            "room",
            {[&](Topic, std::vector<Present<Viewer>> people) -> Task<Result<Fetched<Known>>> {
                 if (down) co_return Error(ErrorKind::unavailable);
                 co_return co_await database.users(std::move(people));
             },
             {.retry = 4s}});
        auto client = *co_await start<Client>(SpawnOptions{}, std::string("room"));
        auto ada = presence::track("room", "ada", Viewer{});
        co_await bennu::sleep(100ms);
        // One of several entries fails: the client loses what it knew of the key.
        down = true;
        auto tab = presence::track("room", "ada", Viewer{2});
        auto bob = presence::track("room", "bob", Viewer{});
        auto brief = presence::track("room", "brief", Viewer{});
        co_await bennu::sleep(100ms);
        brief.untrack();
        co_await bennu::sleep(100ms);
        using Names = std::map<std::string, std::string>;
        EXPECT_EQ(co_await call(client, Client::Names{}), (Names{{"ada", ""}, {"bob", ""}}));
        // After 4 s, 8 s, 16 s and so on; a minute at most.
        co_await bennu::sleep(1h);
        EXPECT_GE(outcomes.count["error"], 60);
        EXPECT_LE(outcomes.count["error"], 75);
        EXPECT_EQ((co_await call(client, Client::Diffs{})).size(), 3U);
        down = false;
        const std::size_t asked = database.queries.size();
        co_await bennu::sleep(1min);
        EXPECT_EQ(database.queries.size(), asked + 1);
        EXPECT_EQ(database.queries.back().size(), 2U);  // not who has left
        EXPECT_EQ(co_await call(client, Client::Names{}),
                  (Names{{"ada", "name of ada"}, {"bob", "name of bob"}}));
        const std::vector<Json> diffs = co_await call(client, Client::Diffs{});
        EXPECT_EQ(diffs.size(), 4U);
        EXPECT_EQ(diffs.back()["joins"]["ada"]["metas"].size(), 2U);
        EXPECT_EQ(diffs.back()["leaves"].size(), 0U);
        // That was all.
        co_await bennu::sleep(1h);
        EXPECT_EQ(database.queries.size(), asked + 1);
        co_return {};
    });
}

TEST(PresenceFetch, one_that_fails_for_a_program_is_no_loss_for_clients) {
    Outcomes outcomes;
    finishes({.shards = 1, .limit = 3h}, [&]() -> Task<Result<>> {
        LogCapture quiet(LogLevel::off);
        Database database;
        bool down = false;
        presence::fetch_with(
            "room",
            [&](Topic, std::vector<Present<Viewer>> people) -> Task<Result<Fetched<Known>>> {
                if (down) co_return Error(ErrorKind::unavailable);
                co_return co_await database.users(std::move(people));
            });
        auto client = *co_await start<Client>(SpawnOptions{}, std::string("room"));
        auto ada = presence::track("room", "ada", Viewer{});
        co_await bennu::sleep(100ms);
        down = true;
        EXPECT_EQ((co_await presence::list("room"))["ada"].size(), 1U);
        co_await bennu::sleep(1h);
        EXPECT_EQ(outcomes.count["error"], 1);
        // Who joined just then lacks it, however well the others know.
        auto late = *co_await start<Client>(SpawnOptions{}, std::string("room"));
        co_await bennu::sleep(100ms);
        EXPECT_EQ((co_await call(late, Client::Names{}))["ada"], "");
        down = false;
        co_await bennu::sleep(2s);
        for (auto one : {client, late})
            EXPECT_EQ((co_await call(one, Client::Names{}))["ada"], "name of ada");
        co_return {};
    });
}

TEST(PresenceFetch, one_whose_process_is_ended_holds_nobody_up) {
    Outcomes outcomes;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        Pid running;
        presence::fetch_with(
            "room", [&](Topic, std::vector<Present<Viewer>>) -> Task<Result<Fetched<Known>>> {
                running = self();
                co_await bennu::sleep(1h);
                co_return Fetched<Known>();
            });
        auto client = *co_await start<Client>(SpawnOptions{}, std::string("room"));
        auto ada = presence::track("room", "ada", Viewer{});
        co_await bennu::sleep(1ms);
        kill(running);
        co_await bennu::sleep(1ms);
        EXPECT_EQ((co_await call(client, Client::Diffs{})).size(), 1U);
        EXPECT_EQ(outcomes.count["ended"], 1);
        co_return {};
    });
}

}  // namespace bennu::presence_fetch_test
