#include <gtest/gtest.h>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/net/outside_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/scope.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/health.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_overload_test {

using namespace std::chrono_literals;

Response work(Conn conn) {
    net::compute(2ms);
    return text(conn, 200, "done");
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->get("/work", work);
    router->post("/work", work);
    router->get("/admin", work, {.reserved = true});
    router->get("/patient", work, {.patient = true});
    router->post("/reports",
                 [](Conn conn) -> Task<Response> {
                     co_await sleep(50ms);
                     co_return text(conn, 200, "made");
                 },
                 {.max_concurrent = 2});
    auto ready = std::make_shared<ReadyFlag>();
    ready->set(true);
    health_routes(*router, std::move(ready));
    return router;
}

SimOutcome serve(SimOptions sim, EndpointOptions options, Function<Task<>(SocketAddress)> client) {
    options.port = 8000;
    return simulate(sim, [options, client = std::move(client)]() mutable -> Task<Result<>> {
        auto endpoint = Endpoint::make(options, make_router()).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await start<net::HttpServer>({}, endpoint->server_options(), handler);
        EXPECT_TRUE(server);
        if (!server) co_return std::move(server).error();
        co_await client(co_await call(*server, net::HttpServer::Address{}));
        co_await stop_and_wait(server->pid(), 30s);
        co_return Result<>();
    });
}

struct Tally {
    int good = 0, refused = 0, other = 0;
    void count(std::string_view answer) {
        if (answer.starts_with("HTTP/1.1 200 ")) {
            ++good;
        } else if (answer.starts_with("HTTP/1.1 503 ") &&
                   answer.contains("\r\nretry-after: 1\r\n") &&
                   answer.contains("\"code\":\"overloaded\"")) {
            ++refused;
        } else {
            ++other;
        }
    }
};

std::string get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
}

/// Does not wait for answers before it asks again. These clients are processes of the shards that
/// work: while one computes they do not ask.
Task<> crowd(SocketAddress address, std::string request, int count, Duration every, Tally& tally) {
    co_await scoped([address, request, count, every, &tally](Scope& scope) -> Task<> {
        for (int i = 0; i < count; ++i) {
            scope.run(
                [](SocketAddress to, std::string bytes, Duration wait, Tally& into) -> Task<> {
                    co_await sleep(wait);
                    into.count(co_await net::exchange(to, bytes));
                }(address, request, i * every, tally));
        }
        co_return;
    });
}

/// The same from outside of the shards: each asks on time.
void crowd(net::OutsideClients& clients, std::string_view path, int count, Duration every) {
    for (int i = 0; i < count; ++i) clients.ask(i * every, get(path));
}

/// Counts the next so many answers.
Tally tally(std::span<const std::string>& answers, std::size_t count) {
    Tally tally;
    for (const std::string& answer : answers.first(count)) tally.count(answer);
    answers = answers.subspan(count);
    return tally;
}

// A second's work is 500 requests, of 2 ms each; so long 2,500 come.
BENNU_SIM_TEST(Overload, five_times_the_capacity_is_cut_and_health_is_answered, sim) {
    LogCapture log;
    sim.shards = 1;
    Tally crowded, health, admin, patient, afterwards;
    Instant began, seen;
    Subscription listening =
        subscribe_events("net.overload.begin", [&](const EventView&) { seen = reactor().now(); });
    serve(sim, {.max_queue_delay = 5ms}, [&](SocketAddress address) -> Task<> {
        began = reactor().now();
        net::OutsideClients clients(address);
        crowd(clients, "/work", 2500, 400us);
        crowd(clients, "/livez", 50, 20ms);
        crowd(clients, "/admin", 10, 100ms);
        crowd(clients, "/patient", 10, 100ms);
        co_await sleep(5s);
        const std::vector<std::string> all = clients.answers();
        std::span<const std::string> answers(all);
        crowded = tally(answers, 2500);
        health = tally(answers, 50);
        admin = tally(answers, 10);
        patient = tally(answers, 10);
        co_await crowd(address, get("/work"), 50, 10ms, afterwards);
    });
    // The first window begins with the first request, 3 ms after the beginning at most, and has
    // short waits in it. In the second everybody waits over 5 ms: it is an overload when that ends.
    // A window ends with the first request after its 100 ms, which is one of every 6 ms or less.
    EXPECT_GE(seen - began, 200ms);
    EXPECT_LE(seen - began, 215ms);
    // The last of the 2,500 is there after 1,003 ms, is found when the turn is over that runs then,
    // and is answered if it waited 10 ms by then. Such a turn answers for 10 ms and twice more for
    // those that are never turned away, 16 ms, and so has everything an end 1,003 + 16 + 10 + 2 ms
    // after the beginning: 515 times 2 ms.
    EXPECT_LE(crowded.good, 515);
    EXPECT_EQ(crowded.other, 0);
    // Of the second in which they come it answers all the time, but for a twentieth in which
    // nobody is there who has not waited too long: 475, of which 20 are never turned away.
    EXPECT_GE(crowded.good, 455);
    EXPECT_EQ(health.good, 50);
    EXPECT_EQ(admin.good, 10);
    EXPECT_EQ(patient.good, 10);
    EXPECT_EQ(afterwards.good, 50);
    EXPECT_TRUE(log.contains("some are turned away"));
}

TEST(Overload, too_much_memory_turns_away_all_but_the_reserved) {
    LogCapture log;
    int refused = 0;
    Subscription listening = subscribe_events("net.request.refused", [&](const EventView& event) {
        for (const Attribute& attribute : event.metadata)
            refused += to_string(attribute.value) == "memory";
    });
    std::string answers, with_body, expecting, patient;
    serve({}, {.max_memory = 1}, [&](SocketAddress address) -> Task<> {
        co_await sleep(3s);
        // The connection stays: who asks again does not need a new one.
        answers = co_await net::exchange(address,
                                         "GET /work HTTP/1.1\r\nhost: a\r\n\r\n"
                                         "HEAD /work HTTP/1.1\r\nhost: a\r\n\r\n"
                                         "GET /admin HTTP/1.1\r\nhost: a\r\n\r\n" +
                                             get("/work"));
        // But not for a body that nobody wants.
        with_body = co_await net::exchange(
            address,
            "POST /work HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody" + get("/livez"));
        expecting = co_await net::exchange(address,
                                           "POST /work HTTP/1.1\r\nhost: a\r\nexpect: "
                                           "100-continue\r\ncontent-length: 4\r\n\r\n");
        patient = co_await net::exchange(address, get("/patient"));
    });
    auto second = answers.find("HTTP/1.1 503 ", 1), third = answers.find("HTTP/1.1 200 ");
    auto fourth = answers.find("HTTP/1.1 503 ", third);
    EXPECT_TRUE(answers.starts_with("HTTP/1.1 503 ")) << answers;
    ASSERT_NE(fourth, std::string::npos) << answers;
    EXPECT_LT(second, third);
    EXPECT_TRUE(answers.contains("\r\nretry-after: 1\r\n"));
    EXPECT_TRUE(answers.substr(0, second).contains("\"code\":\"overloaded\""));
    EXPECT_FALSE(answers.substr(second, third - second).contains("\"code\""));  // HEAD
    EXPECT_FALSE(answers.substr(0, fourth).contains("connection: close"));
    EXPECT_TRUE(answers.substr(fourth).contains("connection: close"));
    EXPECT_TRUE(with_body.starts_with("HTTP/1.1 503 ")) << with_body;
    EXPECT_TRUE(with_body.contains("connection: close"));
    EXPECT_FALSE(with_body.contains("HTTP/1.1 200 "));
    EXPECT_TRUE(expecting.starts_with("HTTP/1.1 503 ")) << expecting;
    EXPECT_TRUE(patient.starts_with("HTTP/1.1 503 ")) << patient;
    EXPECT_EQ(refused, 6);
    EXPECT_TRUE(log.contains("too much memory"));
}

TEST(Overload, a_route_takes_so_many_at_once_and_refuses_more_before_their_bodies) {
    LogCapture log;
    Tally all;
    std::string during, after;
    const std::string post =
        "POST /reports HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
        "content-length: 4\r\n\r\n";
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        co_await scoped([&](Scope& scope) -> Task<> {
            scope.run(crowd(address, post + "body", 2, Duration::zero(), all));
            co_await sleep(20ms);
            during = co_await net::exchange(address, post);
            co_return;
        });
        after = co_await net::exchange(address, post + "body");
    });
    EXPECT_EQ(all.good, 2);
    EXPECT_TRUE(during.starts_with("HTTP/1.1 503 ")) << during;
    EXPECT_TRUE(during.contains("\"code\":\"busy\""));
    EXPECT_TRUE(after.starts_with("HTTP/1.1 200 ")) << after;
}

TEST(Overload, a_share_is_given_back_however_the_request_ends) {
    LogCapture log;
    auto router = std::make_shared<Router>();
    int crash = 1;
    router->get("/one",
                [&crash](Conn conn) -> Response {
                    if (crash-- > 0) throw std::runtime_error("told to");
                    return text(conn, 200, "done");
                },
                {.max_concurrent = 1});
    TestClient client(router);
    EXPECT_EQ(client.get("/one").status, 500);
    EXPECT_EQ(client.get("/one").status, 200);
    EXPECT_EQ(client.get("/one").status, 200);
}

}  // namespace web_overload_test
}  // namespace bennu
