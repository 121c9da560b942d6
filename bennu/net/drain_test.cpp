// What a server that stops owes to those who are connected.
#include <gtest/gtest.h>

#include "bennu/net/drain.hpp"
#include "bennu/net/drain_watch.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::drain_test {

using namespace std::chrono_literals;

struct PatientHandler : HttpHandler {
    BodyPlan body_plan(const RequestHead&) const override { return {.limit = 1000}; }
    Task<HttpResponse> handle(HttpRequest request) const override {
        if (request.head.target() == "/slow") co_await sleep(3s);
        HttpResponse response;
        response.body = "served " + std::string(request.head.target());
        co_return response;
    }
    HttpResponse failure(int status, std::string_view, std::string_view) const override {
        HttpResponse response;
        response.status = status;
        return response;
    }
};

std::string request_for(std::string_view target) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nhost: x\r\n\r\n";
}

/// A client that says `before`, waits until `expect` was answered, and `after` once the server has
/// been stopping for `wait`. Yields what it heard after that, up to the close.
std::string heard_while_stopping(SimOptions sim, std::string before, std::string expect,
                                 Duration wait, std::string after) {
    std::string heard;
    SimOutcome outcome = simulate(sim, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<PatientHandler>();
        const SocketAddress address{"127.0.0.1", 8000};
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.address = address}, handler);
        auto client = co_await start<RawClient>({}, address);
        co_await sleep(500ms);  // connected, whatever the network does
        if (!before.empty()) cast(*client, RawClient::Send{before});
        if (!expect.empty()) (void)co_await call(*client, RawClient::ReadUntil{expect});
        co_await sleep(500ms);
        stop(server->pid());
        co_await sleep(wait);
        if (!after.empty()) cast(*client, RawClient::Send{after});
        heard = co_await call(*client, RawClient::ReadAll{}, {.timeout = 60s});
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    return heard;
}

BENNU_SIM_TEST(Drain, who_has_just_connected_is_still_answered, options) {
    const std::string heard = heard_while_stopping(options, "", "", 200ms, request_for("/late"));
    EXPECT_TRUE(heard.contains("served /late")) << heard;
    EXPECT_TRUE(heard.contains("connection: close")) << heard;
}

BENNU_SIM_TEST(Drain, who_has_begun_to_ask_is_still_answered, options) {
    const std::string heard =
        heard_while_stopping(options, "GET /ha", "", 2s, "lf HTTP/1.1\r\nhost: x\r\n\r\n");
    EXPECT_TRUE(heard.contains("served /half")) << heard;
}

BENNU_SIM_TEST(Drain, a_request_in_progress_is_finished, options) {
    const std::string heard = heard_while_stopping(options, request_for("/slow"), "", 0s, "");
    EXPECT_TRUE(heard.contains("served /slow")) << heard;
    EXPECT_TRUE(heard.contains("connection: close")) << heard;
}

BENNU_SIM_TEST(Drain, an_idle_connection_is_closed_soon_but_not_at_once, options) {
    for (const Duration wait : {20ms, 700ms}) {
        const std::string heard = heard_while_stopping(options, request_for("/one"), "served /one",
                                                       wait, request_for("/two"));
        EXPECT_TRUE(heard.contains("served /two")) << heard;
        EXPECT_TRUE(heard.contains("connection: close")) << heard;
    }
    const std::string silent =
        heard_while_stopping(options, request_for("/one"), "served /one", 0s, "");
    EXPECT_TRUE(silent.contains("served /one")) << silent;
}

TEST(Drain, a_pause_of_the_machine_is_nobodys_silence) {
    Instant at{};
    DrainWatch watch(at);
    for (int looks = 0; looks < 10; ++looks) (void)watch.look(at += 20ms);
    EXPECT_EQ(watch.look(at), 200ms);
    EXPECT_EQ(watch.look(at += 5s), 200ms + DrainWatch::longest_look);
    EXPECT_EQ(watch.look(at += 20ms), 220ms + DrainWatch::longest_look);
}

TEST(Drain, sockets_end_in_batches_with_pauses_that_differ) {
    EXPECT_EQ(DrainPace({}, 0, 1).batch(), 10'000u);
    EXPECT_EQ(DrainPace({}, 20'000, 2).batch(), 5000u);
    // A million sockets are told within the time that a shutdown has.
    EXPECT_EQ(DrainPace({}, 1'000'000, 2).batch(), 200'000u);
    EXPECT_EQ(DrainPace({}, 3, 100'000).batch(), 1u);
    Random random(1);
    const DrainPace pace({}, 10, 1);
    Duration shortest = pace.pause(random), longest = shortest;
    for (int i = 0; i < 100; ++i) {
        const Duration pause = pace.pause(random);
        shortest = std::min(shortest, pause);
        longest = std::max(longest, pause);
    }
    EXPECT_GE(shortest, 1s);
    EXPECT_LE(longest, 2s);
    EXPECT_GT(longest - shortest, 500ms);
}

TEST(Drain, batches_and_pauses_follow_the_options_within_the_time_that_there_is) {
    Random random(1);
    EXPECT_EQ(DrainPace({.batch = 100, .pause = 1s}, 1000, 1).batch(), 100u);
    EXPECT_EQ(DrainPace({.batch = 100, .pause = 1s}, 5000, 1).batch(), 500u);
    EXPECT_EQ(DrainPace({.batch = 100, .pause = 100ms}, 5000, 2).batch(), 50u);
    EXPECT_EQ(DrainPace({.batch = 1, .pause = 1ms}, 5000, 1).batch(), 25u);
    // None at all, and longer than there is time for.
    const DrainPace at_once({.batch = 1, .pause = 0s}, 5000, 1);
    EXPECT_EQ(at_once.batch(), 5000u);
    EXPECT_EQ(at_once.pause(random), 0s);
    const DrainPace slow({.batch = 1, .pause = 1h}, 5000, 1);
    EXPECT_EQ(slow.batch(), 5000u);
    EXPECT_LE(slow.pause(random), 10s);
    EXPECT_EQ(DrainPace({.batch = 0, .pause = 1ms}, 1, 1).batch(), 1u);
}

}  // namespace bennu::net::drain_test
