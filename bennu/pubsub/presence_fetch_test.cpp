#include "bennu/pubsub/presence_fetch_test.hpp"

#include "bennu/pubsub/presence_table.hpp"

namespace bennu::presence_fetch_test {

TEST(PresenceFetch, puts_what_it_brings_beside_the_metas_of_states_diffs_and_lists) {
    Database database;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        presence::fetch_with("room:*", ask(database));
        auto client = *co_await start<Client>(SpawnOptions{}, std::string("room:1"));
        auto ada = presence::track("room:1", "ada", Viewer{1});
        auto bob = presence::track("room:1", "bob", Viewer{2});
        auto stranger = presence::track("room:1", "stranger", Viewer{3});
        auto other = presence::track("elsewhere", "ada", Viewer{1});
        co_await bennu::sleep(1ms);
        // One query for all of a diff, and none for a topic without a hook.
        EXPECT_EQ(database.queries, (std::vector<std::vector<std::string>>{{"ada", "bob"}}));
        std::vector<Json> diffs = co_await call(client, Client::Diffs{});
        EXPECT_EQ(diffs.size(), 1U);
        const Json& joins = diffs.at(0)["joins"];
        EXPECT_EQ(joins["ada"]["user"]["name"], Json("name of ada"));
        EXPECT_EQ(joins["ada"]["metas"][0]["page"], Json(1));
        EXPECT_EQ(joins["stranger"].size(), 1U);

        const Json state = co_await presence::list("room:1");
        EXPECT_EQ(state["bob"]["user"]["name"], Json("name of bob"));
        EXPECT_EQ(database.queries.size(), 2U);
        const auto people = co_await presence::list_with<Viewer, Known>("room:1");
        EXPECT_EQ(people.size(), 3U);
        for (const auto& one : people) {
            EXPECT_EQ(one.fetched.has_value(), one.key != "stranger");
            if (one.key == "bob") {
                EXPECT_EQ(one.fetched->user.name, "name of bob");
                EXPECT_EQ(one.metas.at(0).page, 2);
            }
        }
        EXPECT_EQ((co_await presence::list_as<Viewer>("room:1")).size(), 3U);
        EXPECT_EQ((co_await presence::list("elsewhere"))["ada"].size(), 1U);

        // Somebody who leaves is named, too.
        co_await bennu::sleep(100ms);
        bob.untrack();
        co_await bennu::sleep(1ms);
        diffs = co_await call(client, Client::Diffs{});
        EXPECT_EQ(diffs.back()["leaves"]["bob"]["user"]["name"], Json("name of bob"));
        EXPECT_EQ(database.queries.back(), std::vector<std::string>{"bob"});
        // Without anybody there is nothing to ask for.
        const std::size_t asked = database.queries.size();
        EXPECT_EQ((co_await presence::list("room:empty")).size(), 0U);
        EXPECT_EQ(database.queries.size(), asked);
        presence::fetch_with("room:*", {});
        EXPECT_EQ((co_await presence::list("room:1"))["ada"].size(), 1U);
        EXPECT_EQ(database.queries.size(), asked);
        co_return {};
    });
}

namespace {

Task<Result<Fetched<Json>>> by_hand(Topic topic, std::vector<Present<Json>> people) {
    Fetched<Json> fetched;
    for (const Present<Json>& one : people) {
        fetched[one.key] = Json::object({{"topic", topic.view()},
                                         {"entries", one.metas.size()},
                                         {"metas", "are not its business"}});
    }
    co_return fetched;
}

}  // namespace

TEST(PresenceFetch, may_be_a_function_of_json) {
    finishes({.shards = 1}, []() -> Task<Result<>> {
        presence::fetch_with("*", &by_hand);
        auto one = presence::track("t", "ada", Json::object({{"a", 1}}));
        auto two = presence::track("t", "ada");
        const Json state = co_await presence::list("t");
        EXPECT_EQ(state["ada"]["metas"].size(), 2U);
        EXPECT_EQ(state["ada"]["entries"], Json(2));
        EXPECT_EQ(state["ada"]["topic"], Json("t"));
        co_return {};
    });
}

TEST(PresenceFetch, what_changes_while_one_runs_goes_out_with_one_more) {
    Database database;
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        presence::fetch_with("room", ask(database));
        auto client = *co_await start<Client>(SpawnOptions{}, std::string("room"));
        database.takes = 3s;
        auto first = presence::track("room", "first", Viewer{});
        co_await bennu::sleep(1s);
        std::vector<presence::Tracked> stay;
        for (int i = 0; i < 1000; ++i) {
            auto brief = presence::track("room", "brief", Viewer{});
            if (i % 20 == 0)
                stay.push_back(presence::track("room", "p" + std::to_string(i), Viewer{}));
            if (i % 20 == 1) stay.back().update(Viewer{i});
            co_await bennu::sleep(1ms);
        }
        auto* asked = &database.queries;
        EXPECT_EQ(asked->size(), 1U);
        EXPECT_TRUE((co_await call(client, Client::Diffs{})).empty());
        EXPECT_EQ(co_await presence::count("room"), 51U);  // the table is never held up
        // Those who ask meanwhile share it.
        auto late = *co_await start<Client>(SpawnOptions{}, std::string("room"));
        auto later = *co_await start<Client>(SpawnOptions{}, std::string("room"));
        co_await bennu::sleep(2s);
        EXPECT_EQ((co_await call(client, Client::Diffs{})).size(), 1U);
        co_await bennu::sleep(3s);
        EXPECT_EQ(asked->size(), 2U);
        EXPECT_EQ(asked->back().size(), 51U);
        const std::vector<Json> diffs = co_await call(client, Client::Diffs{});
        EXPECT_EQ(diffs.size(), 2U);
        EXPECT_EQ(diffs.back()["joins"].size(), 50U);
        EXPECT_EQ(diffs.back()["joins"]["p20"]["metas"][0]["page"], Json(21));
        EXPECT_EQ(diffs.back()["leaves"].size(), 0U);
        for (auto each : {client, late, later})
            EXPECT_EQ((co_await call(each, Client::Show{})).size(), 51U);
        EXPECT_EQ(database.most_at_once, 1);
        co_return {};
    });
}

TEST(PresenceFetch, a_slow_topic_delays_no_other) {
    finishes({.shards = 1}, []() -> Task<Result<>> {
        presence::fetch_with(
            "*", [](Topic topic, std::vector<Present<Viewer>>) -> Task<Result<Fetched<Known>>> {
                if (topic == "slow") co_await bennu::sleep(3s);
                co_return Fetched<Known>();
            });
        auto slow = *co_await start<Client>(SpawnOptions{}, std::string("slow"));
        auto quick = *co_await start<Client>(SpawnOptions{}, std::string("quick"));
        auto a = presence::track("slow", "ada", Viewer{});
        co_await bennu::sleep(1ms);
        auto b = presence::track("quick", "ada", Viewer{});
        co_await bennu::sleep(1ms);
        EXPECT_EQ((co_await call(quick, Client::Diffs{})).size(), 1U);
        EXPECT_TRUE((co_await call(slow, Client::Diffs{})).empty());
        co_return {};
    });
}

TEST(PresenceFetch, one_that_runs_when_the_node_ends_is_cancelled) {
    Database database{.queries = {}, .takes = 1h};
    Outcomes outcomes;
    finishes({.shards = 2}, [&]() -> Task<Result<>> {
        presence::fetch_with("*", ask(database));
        auto ada = presence::track("a", "ada", Viewer{});
        auto bob = presence::track("b", "bob", Viewer{});
        presence::with_state("a", [](const std::string&) { ADD_FAILURE(); });
        co_await bennu::sleep(1s);
        EXPECT_EQ(database.at_once, 2);
        co_return {};
    });
    EXPECT_EQ(database.at_once, 0);
    EXPECT_EQ(database.cancelled, 2);
}

TEST(PresenceFetch, what_comes_and_goes_while_one_runs_does_not_add_up) {
    finishes({.shards = 1}, []() -> Task<Result<>> {
        presence::detail::TopicPresence topic{Topic("t")};
        topic.join("stays", 1, {presence::detail::new_ref(), {}});
        for (std::uint64_t id = 2; id < 10'000; ++id) {
            topic.join("k" + std::to_string(id), id, {presence::detail::new_ref(), {}});
            topic.update("stays", 1, {});
            topic.leave("k" + std::to_string(id), id);
        }
        presence::detail::Outgoing outgoing = topic.take();
        EXPECT_LE(outgoing.joins.size(), 3U);
        EXPECT_TRUE(outgoing.leaves.empty());
        EXPECT_EQ(outgoing.people().size(), 1U);
        co_return {};
    });
}

TEST(PresenceFetch, others_run_while_it_is_told_of_many) {
    int turns = 0, at_call = 0;  // what counts them outlives main
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        presence::fetch_with(
            "stadium",
            [&](Topic, std::vector<Present<Viewer>> people) -> Task<Result<Fetched<Known>>> {
                at_call = turns;
                Fetched<Known> known;
                for (const auto& one : people) known[one.key] = {.user = {.name = one.key}};
                co_return known;
            });
        std::vector<presence::Tracked> people;
        for (int i = 0; i < 5'000; ++i)
            people.push_back(presence::track("stadium", std::to_string(i), Viewer{i}));
        co_await bennu::sleep(100ms);
        spawn_task([&turns]() -> Task<> {
            for (;;) {
                ++turns;
                co_await yield_now();
            }
        });
        const int before = turns;
        const auto all = co_await presence::list_with<Viewer, Known>("stadium");
        EXPECT_EQ(all.size(), 5'000U);
        EXPECT_EQ(all.at(7).fetched->user.name, all.at(7).key);
        EXPECT_GE(at_call - before, 5);
        EXPECT_GE(turns - at_call, 15);
        co_return {};
    });
}

TEST(PresenceFetch, refuses_what_is_no_object) {
    EXPECT_THROW((void)presence::detail::fetched_fields(Json(1)), std::logic_error);
}

}  // namespace bennu::presence_fetch_test
