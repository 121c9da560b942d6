#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::http2_flood_test {

using namespace std::chrono_literals;

/// Counts its requests; `/work` takes long, `/flood` never ends by itself.
struct Counter : TestHandler {
    mutable int begun = 0;
    mutable int working = 0;
    mutable int most_working = 0;

    BodyPlan::Delivery delivery = BodyPlan::Delivery::gathered;

    BodyPlan body_plan(const RequestHead&) const override {
        return {.limit = 8'000'000, .delivery = delivery};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        ++begun;
        HttpResponse response;
        response.body = "done";
        if (Result<std::string> body = co_await request.stream.rest(8'000'000); !body) {
            response.status = body.error().kind() == ErrorKind::timeout ? 408 : 400;
            co_return response;
        }
        if (request.head.path() == "/work") {
            most_working = std::max(most_working, ++working);
            co_await sleep(10s);
            --working;
        }
        if (request.head.path() == "/flood") {
            response.body = BodyProducer([](BodyWriter out) -> Task<Result<>> {
                for (int i = 0;; ++i) {
                    Result<> written = co_await out.write(std::string(10'000, 'f'));
                    if (written) continue;
                    log_info("flood stopped", {{"at", i}});
                    co_return written;
                }
            });
        }
        co_return response;
    }
};

constexpr std::uint8_t data = 0, headers = 1, priority = 2, rst_stream = 3, settings = 4, ping = 6,
                       goaway = 7, window_update = 8, continuation = 9;
constexpr std::uint8_t ends_stream = 1, ends_headers = 4;
constexpr std::uint32_t enhance_your_calm = 11;

std::string number(std::uint32_t value) {
    return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
            static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string request_block(const std::string& path, const std::string& method = "GET") {
    return plain_block(
        {{":method", method}, {":scheme", "http"}, {":authority", "x"}, {":path", path}});
}
std::string request(std::uint32_t stream, const std::string& path = "/") {
    return to_bytes({headers, ends_headers | ends_stream, stream, request_block(path)});
}
std::string open_request(std::uint32_t stream, const std::string& path = "/") {
    return to_bytes({headers, ends_headers, stream, request_block(path, "POST")});
}

struct Outcome {
    std::uint32_t code = 0;
    int begun = 0;
    int most_working = 0;
    std::string received;
    Duration took{};
};

/// What becomes of a connection that sends these bytes. Another one, open all the time, is served
/// before and after.
Outcome attack(std::string bytes, HttpServerOptions options = {}) {
    Outcome outcome;
    auto counter = std::make_shared<Counter>();
    simulate({}, [&]() -> Task<Result<>> {
        options.address = {"127.0.0.1", 8000};
        std::shared_ptr<const HttpHandler> handler = counter;
        auto server = co_await start<HttpServer>({}, options, handler);
        auto neighbour = co_await start<Http2Client>({}, options.address);
        EXPECT_EQ((co_await call(*neighbour, Http2Client::Ask{})).body, "done");
        const Instant began = now();
        outcome.received = co_await exchange(options.address, http2_hello() + bytes);
        outcome.took = now() - began;
        outcome.begun = counter->begun - 1;
        EXPECT_EQ((co_await call(*neighbour, Http2Client::Ask{})).body, "done");
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    outcome.code = goaway_code(outcome.received);
    outcome.most_working = counter->most_working;
    return outcome;
}

std::string repeated(int count, Function<std::string(int)> piece) {
    std::string all;
    for (int i = 0; i < count; ++i) all += piece(i);
    return all;
}
std::uint32_t odd(int i) {
    return static_cast<std::uint32_t>(2 * i + 1);
}

TEST(Http2Flood, rapid_resets_end_the_connection_and_start_few_handlers) {
    Outcome outcome = attack(repeated(5000, [](int i) {
        return request(odd(i), "/work") + to_bytes({rst_stream, 0, odd(i), number(8)});
    }));
    EXPECT_EQ(outcome.code, enhance_your_calm);
    EXPECT_LE(outcome.most_working, 200);
    EXPECT_LT(outcome.took, 20s);
}

TEST(Http2Flood, handlers_of_streams_that_were_reset_still_count) {
    auto counter = std::make_shared<Counter>();
    Http2Reply refused, later;
    simulate({}, [&]() -> Task<Result<>> {
        const SocketAddress address{"127.0.0.1", 8000};
        std::shared_ptr<const HttpHandler> handler = counter;
        auto server = co_await start<HttpServer>(
            {}, HttpServerOptions{.address = address, .http2 = {.streams = 10}}, handler);
        auto client = co_await start<Http2Client>({}, address);
        for (int i = 0; i < 20; ++i) {
            const auto id = co_await call(*client, Http2Client::Begin{{{":path", "/work"}}, true});
            co_await sleep(10ms);
            cast(*client, Http2Client::Reset{id});
        }
        refused = co_await call(*client, Http2Client::Ask{});
        co_await sleep(11s);
        later = co_await call(*client, Http2Client::Ask{});
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    EXPECT_EQ(counter->most_working, 20);
    EXPECT_EQ(refused.error, 7U);  // REFUSED_STREAM
    EXPECT_EQ(later.body, "done");
}

TEST(Http2Flood, making_the_server_reset_counts_like_resetting) {
    // A window that grows too large is an error of its stream alone.
    Outcome outcome = attack(repeated(5000, [](int i) {
        return open_request(odd(i), "/work") +
               to_bytes({window_update, 0, odd(i), number(0x7fffffff)});
    }));
    EXPECT_EQ(outcome.code, enhance_your_calm);
    EXPECT_EQ(outcome.begun, 0);
}

TEST(Http2Flood, more_streams_than_allowed_are_never_begun) {
    Outcome outcome = attack(repeated(1000, [](int i) { return request(odd(i), "/work"); }));
    EXPECT_EQ(outcome.code, enhance_your_calm);
    EXPECT_LE(outcome.most_working, 100);
}

TEST(Http2Flood, continuations_without_end_are_cut_off) {
    std::string bytes = to_bytes({headers, ends_stream, 1, request_block("/")});
    Outcome outcome = attack(bytes + repeated(1000, [](int) {
                                 return to_bytes({continuation, 0, 1, plain_block({{"a", "b"}})});
                             }));
    EXPECT_EQ(outcome.code, enhance_your_calm);
    EXPECT_EQ(outcome.begun, 0);
    outcome =
        attack(bytes + repeated(1000, [](int) { return to_bytes({continuation, 0, 1, ""}); }));
    EXPECT_EQ(outcome.code, enhance_your_calm);
}

TEST(Http2Flood, heads_over_the_limit_are_answered_431_and_far_over_it_end_the_connection) {
    // One field of 4,000 bytes enters the table; each further byte is that field again.
    auto bomb = [](int times) {
        std::string block = request_block("/");
        std::string field = plain_block({{"x", std::string(4000, 'x')}});
        field[0] = 0x40;
        return to_bytes({headers, ends_headers | ends_stream, 1,
                         block + field + std::string(static_cast<std::size_t>(times), '\xbe')});
    };
    Outcome outcome = attack(bomb(16'000 - 4100));
    EXPECT_EQ(outcome.code, enhance_your_calm);
    EXPECT_EQ(outcome.begun, 0);

    Http2Reply polite;
    auto counter = std::make_shared<Counter>();
    simulate({}, [&]() -> Task<Result<>> {
        const SocketAddress address{"127.0.0.1", 8000};
        std::shared_ptr<const HttpHandler> handler = counter;
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.address = address}, handler);
        auto client = co_await start<Http2Client>({}, address);
        Http2Client::Ask ask;
        for (int i = 0; i < 10; ++i)
            ask.fields.emplace_back("x-" + std::to_string(i), std::string(4000, 'x'));
        polite = co_await call(*client, std::move(ask));
        EXPECT_EQ((co_await call(*client, Http2Client::Ask{})).body, "done");
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    EXPECT_EQ(polite.status, 431);
}

TEST(Http2Flood, frames_that_ask_for_nothing_end_the_connection) {
    const std::string bytes[] = {
        repeated(5000, [](int) { return to_bytes({ping, 0, 0, std::string(8, 'p')}); }),
        repeated(5000, [](int) { return to_bytes({settings, 0, 0, ""}); }),
        repeated(5000, [](int i) { return to_bytes({priority, 0, odd(i), number(0) + "p"}); }),
        repeated(5000, [](int) { return to_bytes({window_update, 0, 0, number(1)}); }),
        repeated(5000, [](int) { return to_bytes({0x42, 0, 0, "what"}); }),
        open_request(1) + repeated(5000, [](int) { return to_bytes({data, 0, 1, ""}); }),
        open_request(1) +
            repeated(5000,
                     [](int) {
                         return to_bytes({data, 8, 1, std::string("\3", 1) + std::string(3, '\0')});
                     }),
        to_bytes({settings, 0, 0,
                  [] {
                      std::string many;
                      for (int i = 0; i < 100; ++i) many += std::string("\0\3\0\0\0\1", 6);
                      return many;
                  }()}),
    };
    for (std::size_t i = 0; i < std::size(bytes); ++i) {
        Outcome outcome = attack(bytes[i]);
        EXPECT_EQ(outcome.code, enhance_your_calm) << i;
        EXPECT_LT(outcome.took, 5s) << i;
    }
}

std::shared_ptr<Counter> counter_of(BodyPlan::Delivery delivery) {
    auto counter = std::make_shared<Counter>();
    counter->delivery = delivery;
    return counter;
}

int bodies_together(SimOptions sim, BodyPlan::Delivery delivery) {
    HttpServerOptions options{.body_timeout = 5s};
    options.http2.gathered_bytes = 100'000;
    int served = 0;
    serve(sim, options, counter_of(delivery), [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        std::vector<std::int32_t> streams;
        for (int i = 0; i < 5; ++i) {
            streams.push_back(co_await call(*client, Http2Client::Begin{{{":method", "POST"}}}));
            cast(*client, Http2Client::Send{streams.back(), std::string(1'000'000, 'x'), true});
        }
        // The first never ends.
        const auto stuck = co_await call(*client, Http2Client::Begin{{{":method", "POST"}}});
        cast(*client, Http2Client::Send{stuck, std::string(200'000, 'x')});
        for (std::int32_t stream : streams) {
            const auto reply = co_await call(*client, Http2Client::Await{stream}, {.timeout = 60s});
            served += reply.status == 200 && reply.body == "done";
        }
        const auto late = co_await call(*client, Http2Client::Await{stuck}, {.timeout = 60s});
        EXPECT_EQ(late.status, 408);
    });
    return served;
}

BENNU_SIM_TEST(Http2Flood, bodies_together_may_hold_only_so_much, sim) {
    EXPECT_EQ(bodies_together(sim, BodyPlan::Delivery::gathered), 5);
}

BENNU_SIM_TEST(Http2Flood, bodies_that_wait_for_their_handlers_may_hold_no_more, sim) {
    EXPECT_EQ(bodies_together(sim, BodyPlan::Delivery::deferred), 5);
}

void oldest_goes_on(SimOptions sim, BodyPlan::Delivery delivery) {
    HttpServerOptions options{.body_timeout = 5s};
    options.http2.gathered_bytes = 100'000;
    std::vector<std::int32_t> windows;
    std::string statuses;
    serve(sim, options, counter_of(delivery), [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        std::vector<std::int32_t> streams;
        for (int i = 0; i < 3; ++i) {
            streams.push_back(co_await call(*client, Http2Client::Begin{{{":method", "POST"}}}));
            cast(*client, Http2Client::Send{streams.back(), std::string(300'000, 'x')});
        }
        co_await sleep(1s);
        for (std::int32_t stream : streams)
            windows.push_back(co_await call(*client, Http2Client::Window{stream}));
        // The oldest says nothing more, and makes room for the next.
        cast(*client, Http2Client::Send{streams[1], "", true});
        cast(*client, Http2Client::Send{streams[2], "", true});
        for (std::int32_t stream : streams) {
            const auto reply = co_await call(*client, Http2Client::Await{stream}, {.timeout = 60s});
            statuses += std::to_string(reply.status) + " ";
        }
    });
    ASSERT_EQ(windows.size(), 3U);
    EXPECT_GT(windows[0], 0);
    EXPECT_EQ(windows[1], 0);
    EXPECT_EQ(windows[2], 0);
    EXPECT_EQ(statuses, "408 200 200 ");
}

BENNU_SIM_TEST(Http2Flood, of_many_bodies_only_the_oldest_gets_beyond_its_window, sim) {
    oldest_goes_on(sim, BodyPlan::Delivery::gathered);
}

BENNU_SIM_TEST(Http2Flood, so_it_is_with_those_that_wait_for_their_handlers, sim) {
    oldest_goes_on(sim, BodyPlan::Delivery::deferred);
}

/// Asks and never reads.
struct Deaf : Server {
    Deaf(SocketAddress a, std::string b) : address(std::move(a)), bytes(std::move(b)) {}
    Task<Result<>> init() {
        stream.adopt(reactor().connect(address).value());
        co_return stream.watch();
    }
    void handle_io(std::uint8_t, Readiness ready) {
        if (!ready.writable) return;
        stream.write(std::exchange(bytes, {}));
        (void)stream.flush();
    }
    SocketAddress address;
    std::string bytes;
    TcpStream stream{-1};
};

TEST(Http2Flood, a_client_that_never_reads_is_let_go_and_holds_little) {
    LogCapture log;
    std::size_t during = 0, left = 9;
    simulate({}, [&]() -> Task<Result<>> {
        const SocketAddress address{"127.0.0.1", 8000};
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Counter>();
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.address = address}, handler);
        // Its windows are wide open; only its socket is not.
        std::string bytes = http2_hello();
        bytes += to_bytes({settings, 0, 0, std::string("\0\4", 2) + number(0x7fffffff)});
        bytes += to_bytes({window_update, 0, 0, number(0x7fff0000)});
        (void)co_await start<Deaf>({}, address, bytes + request(1, "/flood"));
        co_await sleep(50s);
        during = co_await call(*server, HttpServer::Connections{});
        co_await sleep(20s);
        left = co_await call(*server, HttpServer::Connections{});
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    EXPECT_EQ(during, 1U);
    EXPECT_EQ(left, 0U);
    EXPECT_TRUE(log.contains("does not read"));
    EXPECT_TRUE(log.contains("flood stopped"));
}

TEST(Http2Flood, a_client_that_never_reads_what_it_provokes_is_let_go) {
    std::size_t left = 9;
    simulate({}, [&]() -> Task<Result<>> {
        const SocketAddress address{"127.0.0.1", 8000};
        HttpServerOptions options{.address = address};
        options.http2.idle_frames = 1'000'000;  // so that only the waiting output ends it
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Counter>();
        auto server = co_await start<HttpServer>({}, options, handler);
        auto deaf = co_await start<Deaf>({}, address,
                                         http2_hello() + repeated(100'000, [](int) {
                                             return to_bytes({ping, 0, 0, std::string(8, 'p')});
                                         }));
        co_await sleep(10s);
        left = co_await call(*server, HttpServer::Connections{});
        (void)deaf;
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    EXPECT_EQ(left, 0U);
}

TEST(Http2Flood, garbage_ends_its_connection_only) {
    const std::string bytes[] = {
        to_bytes({data, 0, 0, "x"}),
        to_bytes({data, 0, 1, "x"}),
        to_bytes({headers, ends_headers, 2, request_block("/")}),
        to_bytes({headers, ends_headers, 1, "\xff\xff\xff\xff\xff\xff"}),
        to_bytes({continuation, ends_headers, 1, ""}),
        to_bytes({rst_stream, 0, 7, number(8)}),
        to_bytes({window_update, 0, 0, number(0x7fffffff)}),
        to_bytes({ping, 0, 0, "short"}),
        to_bytes({5, ends_headers, 1, number(2)}),
        std::string(100, '\xff'),
    };
    for (std::size_t i = 0; i < std::size(bytes); ++i) {
        Outcome outcome = attack(bytes[i]);
        EXPECT_NE(outcome.code, 999U) << i;
        EXPECT_NE(outcome.code, 0U) << i;
        EXPECT_LT(outcome.took, 5s) << i;
    }
}

}  // namespace bennu::net::http2_flood_test
