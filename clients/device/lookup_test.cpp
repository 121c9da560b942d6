#include "clients/device/lookup.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>

#include "clients/device/client.hpp"

namespace bennu::device {
namespace lookup_tests {

using namespace std::chrono_literals;

/// A name server that answers when the test says so. What a thread of the client may still use
/// when that is gone belongs to them all.
struct NameServer {
    std::promise<Found> answer;
    std::shared_future<Found> answered = answer.get_future().share();
    std::atomic<int> asked = 0;

    static Resolve of(std::shared_ptr<NameServer> server) {
        return [server = std::move(server)](const std::string&, std::uint16_t) {
            ++server->asked;
            return server->answered.get();
        };
    }
};

Found loopback() {
    return resolve_with_system("127.0.0.1", 1);  // where nobody listens
}

bool readable(int descriptor, std::chrono::milliseconds wait) {
    pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, static_cast<int>(wait.count())) == 1;
}

TEST(DeviceLookup, a_name_is_looked_up_aside_and_one_that_asks_again_shares_the_answer) {
    auto server = std::make_shared<NameServer>();
    Lookup lookup(NameServer::of(server));
    EXPECT_EQ(lookup.descriptor(), -1);
    for (int i = 0; i < 3; ++i) {
        lookup.begin("a.example", 1);
        EXPECT_FALSE(lookup.take().has_value());
    }
    EXPECT_FALSE(readable(lookup.descriptor(), 0ms));
    server->answer.set_value(loopback());
    ASSERT_TRUE(readable(lookup.descriptor(), 5000ms));
    const std::optional<Found> found = lookup.take();
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->addresses.size(), 1U);
    EXPECT_EQ(server->asked, 1);
    EXPECT_FALSE(lookup.take().has_value());
    EXPECT_EQ(lookup.descriptor(), -1);
}

TEST(DeviceLookup, an_address_is_there_at_once) {
    auto server = std::make_shared<NameServer>();
    for (const char* host : {"127.0.0.1", "::1"}) {
        Lookup lookup(NameServer::of(server));
        lookup.begin(host, 80);
        const std::optional<Found> found = lookup.take();
        ASSERT_TRUE(found.has_value());
        EXPECT_EQ(found->addresses.size(), 1U);
    }
    EXPECT_EQ(server->asked, 0);
}

TEST(DeviceLookup, the_system_says_why_there_is_no_address) {
    const Found found = resolve_with_system("no host has a space", 80);
    EXPECT_TRUE(found.addresses.empty());
    EXPECT_TRUE(found.problem.starts_with("no host has a space: ")) << found.problem;
}

/// A client whose host's name is asked for at that server.
struct World {
    explicit World(std::shared_ptr<NameServer> server) {
        ClientOptions options{.url = "ws://a.example:1/socket"};
        options.connect_timeout = 50ms;
        options.resolve = NameServer::of(std::move(server));
        options.session.reconnect = {.delays = {10ms}};
        options.session.random = [] { return 0.0; };
        options.on_close = [this](const std::string& problem) { problems.push_back(problem); };
        client.emplace(std::move(options));
        client->start();
    }
    bool until(std::size_t ends) {
        for (int i = 0; i < 500 && problems.size() < ends; ++i) client->poll(10ms);
        return problems.size() >= ends;
    }
    std::vector<std::string> problems;
    std::optional<Client> client;
};

TEST(DeviceLookup, a_name_server_that_is_silent_holds_nothing_up_and_is_asked_once) {
    auto server = std::make_shared<NameServer>();
    World world(server);
    ASSERT_TRUE(world.until(3));
    for (const std::string& problem : world.problems)
        EXPECT_EQ(problem, "no address of a.example, in time");
    EXPECT_EQ(server->asked, 1);
    // Its answer, when it comes, is the next connection's.
    world.problems.clear();
    server->answer.set_value(loopback());
    for (int i = 0; i < 500 && (world.problems.empty() || world.problems.back().contains("time"));
         ++i)
        world.client->poll(10ms);
    EXPECT_EQ(world.problems.back(), "Connection refused");
}

TEST(DeviceLookup, a_client_that_stops_or_is_gone_does_not_wait_for_it) {
    auto server = std::make_shared<NameServer>();
    {
        World world(server);
        world.client->step();
        EXPECT_TRUE(world.client->wants_read());
        EXPECT_FALSE(world.client->wants_write());
        EXPECT_GE(world.client->descriptor(), 0);
        world.client->stop();
        world.client->run();  // ends at once
        EXPECT_EQ(world.client->descriptor(), -1);
    }
    { World gone(server); }
    server->answer.set_value({.problem = "too late"});
}

}  // namespace lookup_tests
}  // namespace bennu::device
