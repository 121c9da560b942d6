#pragma once

#include <gtest/gtest.h>

#include "bennu/base/events.hpp"
#include "bennu/pubsub/presence_fetch.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/simulation_testing.hpp"

/// A database for the tests of fetches, and a client that keeps what npm `phoenix` would.
namespace bennu::presence_fetch_test {

using namespace std::chrono_literals;
using presence::Fetched;
using presence::Present;

struct Viewer {
    int page = 1;
};
BENNU_RECORD(Viewer, page)

struct User {
    std::string name;
};
BENNU_RECORD(User, name)

struct Known {
    User user;
};
BENNU_RECORD(Known, user)

/// What a hook was asked for, and what it does; shared with the test that set it up.
struct Database {
    std::vector<std::vector<std::string>> queries;  ///< the keys of each
    Duration takes = 0ms;
    int at_once = 0, most_at_once = 0;
    int cancelled = 0;

    struct Running {
        explicit Running(Database& d) : database(&d) {
            database->most_at_once = std::max(database->most_at_once, ++database->at_once);
        }
        Running(Running&& other) noexcept : database(std::exchange(other.database, nullptr)) {}
        Running& operator=(Running&&) = delete;
        ~Running() {
            if (!database) return;
            --database->at_once;
            if (!done) ++database->cancelled;
        }
        Database* database;
        bool done = false;
    };

    template <typename M>
    Task<Result<Fetched<Known>>> users(std::vector<Present<M>> people) {
        Running running(*this);
        std::vector<std::string> keys;
        Fetched<Known> found;
        for (const Present<M>& one : people) {
            keys.push_back(one.key);
            found[one.key] = {.user = {.name = "name of " + one.key}};
        }
        queries.push_back(keys);
        if (takes > 0ms) co_await bennu::sleep(takes);
        running.done = true;
        co_return found;
    }
};

/// A hook that asks the database, and leaves out who is called a stranger.
inline presence::Fetch ask(Database& database, presence::FetchOptions options = {}) {
    return {
        [&database](Topic, std::vector<Present<Viewer>> people) -> Task<Result<Fetched<Known>>> {
            std::erase_if(people, [](const auto& one) { return one.key == "stranger"; });
            co_return co_await database.users(std::move(people));
        },
        options};
}

/// What comes on a topic, and the state that a client of it has.
struct Client : Server {
    struct Show {
        using Reply = Json;
    };
    struct Diffs {
        using Reply = std::vector<Json>;
    };
    /// What is known of each key beside its metas.
    struct Names {
        using Reply = std::map<std::string, std::string>;
    };
    struct State {
        Json state;
    };
    explicit Client(std::string t) : topic(std::move(t)) {}
    Task<Result<>> init() {
        subscription = pubsub::subscribe(Ref<Client>(self()), topic);
        presence::with_state(topic, [me = Ref<Client>(self())](const std::string& text) {
            cast(me, State{*parse_json(text)});
        });
        co_return {};
    }
    void handle(State message) {
        has_state = true;
        for (const JsonMember& one : message.state.as_object()) take(one);
    }
    void handle(Broadcast diff) {
        diffs.push_back(diff.payload());
        // Until the state is there, what it will say is not known.
        if (!has_state) return;
        for (const JsonMember& join : diff.payload()["joins"].as_object()) take(join);
        for (const JsonMember& leave : diff.payload()["leaves"].as_object()) {
            for (const Json& meta : leave.value["metas"].as_array())
                EXPECT_TRUE(metas.erase(meta["phx_ref"].as_string())) << "left without being there";
        }
    }
    /// As npm `phoenix` does: what stands beside the metas is replaced, metas are added.
    void take(const JsonMember& one) {
        const bool known = one.value.size() > 1;
        for (const Json& meta : one.value["metas"].as_array()) {
            EXPECT_TRUE(known || !metas.contains(meta["phx_ref"].as_string())) << "joined twice";
            metas.set(meta["phx_ref"].as_string(), one.key);
        }
        names.erase(one.key);
        if (known) names[one.key] = one.value["user"]["name"].as_string();
    }
    std::map<std::string, std::string> handle(Names) {
        std::map<std::string, std::string> present;
        for (const JsonMember& meta : metas.as_object()) {
            const std::string key(meta.value.as_string());
            present[key] = names.contains(key) ? names[key] : "";
        }
        return present;
    }
    Json handle(Show) { return metas; }
    std::vector<Json> handle(Diffs) { return diffs; }

    std::string topic;
    pubsub::Subscription subscription;
    bool has_state = false;
    Json metas = Json::object();
    std::map<std::string, std::string> names;
    std::vector<Json> diffs;
};

/// Counts what is announced of fetches, by outcome.
struct Outcomes {
    std::map<std::string, int> count;
    Subscription subscription =
        subscribe_events("pubsub.presence.fetch", [this](const EventView& event) {
            for (const Attribute& attribute : event.metadata) {
                if (attribute.key == "outcome")
                    ++count[std::string(std::get<std::string_view>(attribute.value.data()))];
            }
        });
};

}  // namespace bennu::presence_fetch_test
