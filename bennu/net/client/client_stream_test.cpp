#include <gtest/gtest.h>

#include <deque>

#include "bennu/base/events.hpp"
#include "bennu/net/client/circuit_breaker.hpp"
#include "bennu/net/client/http_client.hpp"
#include "bennu/net/client/request_log.hpp"
#include "bennu/net/client/request_steps.hpp"
#include "bennu/net/client/retry.hpp"
#include "bennu/net/client/stub_transport.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net::client_stream_test {

using namespace std::chrono_literals;

/// A body of these pieces, one each 10 ms; then it ends, fails with `error`, or, with neither,
/// says nothing more.
ClientBody pieces_of(std::vector<std::string> pieces, std::optional<Error> error, bool ends,
                     int* alive = nullptr) {
    auto left = std::make_shared<std::deque<std::string>>(pieces.begin(), pieces.end());
    static int ignored = 0;
    CountsAlive here(alive ? *alive : ignored);
    return ClientBody(piece_source(
        [left, error, ends, here = std::move(here)]() -> Task<Result<std::optional<std::string>>> {
            co_await sleep(10ms);
            if (left->empty() && error) co_return *error;
            if (left->empty() && !ends) co_await sleep(1h);
            if (left->empty()) co_return std::optional<std::string>();
            std::string piece = std::move(left->front());
            left->pop_front();
            co_return std::optional<std::string>(std::move(piece));
        }));
}

/// Answers each request with what `make` says, and counts them.
struct Streams {
    Function<ClientResponse(int)> make;
    int asked = 0;

    std::shared_ptr<Transport> transport() {
        return stub_transport(
            [this](ClientRequest) -> Task<Result<ClientResponse>> { co_return make(++asked); });
    }
};

/// How the calls ended, as telemetry tells.
struct Stops {
    std::vector<std::string> errors;
    std::vector<std::uint64_t> bytes;
    Subscription listening = subscribe_events("net.client.stop", [this](const EventView& event) {
        for (const Attribute& attribute : event.metadata) {
            if (attribute.key == "error") errors.push_back(to_string(attribute.value));
        }
        for (const Attribute& attribute : event.measurements) {
            if (attribute.key == "bytes")
                bytes.push_back(std::get<std::uint64_t>(attribute.value.data()));
        }
    });
};

BENNU_SIM_TEST(ClientStream, pieces_come_as_they_are_sent_and_the_end_is_told, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Stops stops;
        Streams server{[](int) {
            return ClientResponse{.status = 200, .stream = pieces_of({"one", "two"}, {}, true)};
        }};
        HttpClient client(server.transport());
        ClientResponse answer = co_await require(client.stream(Method::get, "http://a.example/"));
        std::string all;
        while (auto piece = co_await require(answer.stream.next())) all += *piece + ".";
        EXPECT_EQ(all, "one.two.");
        EXPECT_FALSE(*co_await answer.stream.next());
        EXPECT_EQ(stops.errors, (std::vector<std::string>{""}));
        EXPECT_EQ(stops.bytes, (std::vector<std::uint64_t>{6}));
        // The same answer, asked for as a text; and a text, asked for as a stream.
        EXPECT_EQ((co_await client.get("http://a.example/"))->body, "onetwo");
        HttpClient texts(stub_transport([](ClientRequest) -> Task<Result<ClientResponse>> {
            co_return ClientResponse{.status = 200, .body = "text"};
        }));
        answer = co_await require(texts.stream(Method::get, "http://a.example/"));
        EXPECT_EQ(answer.body, "");
        EXPECT_EQ(co_await require(answer.stream.rest(4)), "text");
        co_return {};
    });
}

BENNU_SIM_TEST(ClientStream, silence_length_and_time_are_bounded, sim) {
    finishes(sim, []() -> Task<Result<>> {
        int alive = 0;
        Streams server{[&](int) {
            return ClientResponse{.status = 200,
                                  .stream = pieces_of({"one", "two"}, {}, false, &alive)};
        }};
        HttpClient client(server.transport());
        const std::string url = "http://a.example/";
        auto end_of = [&](RequestOptions options) -> Task<std::string> {
            ClientResponse answer = (co_await client.stream(Method::get, url, options)).value();
            Result<std::string> all = co_await answer.stream.rest(100);
            EXPECT_EQ(alive, 0);  // the transfer is over, although somebody holds the answer
            EXPECT_EQ((co_await answer.stream.next()).error().code(), all.error().code());
            co_return std::string(all.error().code());
        };
        const Instant begun = now();
        EXPECT_EQ(co_await end_of({.idle_timeout = 5s}), "idle_timeout");
        EXPECT_GE(now() - begun, 5s);
        EXPECT_LE(now() - begun, 5100ms);
        EXPECT_EQ(co_await end_of({.body_timeout = 15ms}), "timeout");
        EXPECT_EQ(co_await end_of({.max_body = 5}), "body_too_large");
        // A reader that takes its time is not a server that is silent.
        ClientResponse answer =
            co_await require(client.stream(Method::get, url, {.idle_timeout = 50ms}));
        co_await sleep(1s);
        EXPECT_EQ(co_await require(answer.stream.next()), "one");
        co_return {};
    });
}

BENNU_SIM_TEST(ClientStream, letting_go_ends_the_transfer, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Stops stops;
        int alive = 0;
        Streams server{[&](int) {
            return ClientResponse{.status = 200, .stream = pieces_of({"one"}, {}, false, &alive)};
        }};
        HttpClient client(server.transport());
        {
            ClientResponse answer =
                co_await require(client.stream(Method::get, "http://a.example/"));
            EXPECT_EQ(co_await require(answer.stream.next()), "one");
            // A read that is called off does not end it.
            EXPECT_FALSE(co_await within(answer.stream.next(), 1s));
            EXPECT_EQ(alive, 1);
        }
        EXPECT_EQ(alive, 0);
        EXPECT_EQ(stops.errors, (std::vector<std::string>{"cancelled"}));
        co_return {};
    });
}

BENNU_SIM_TEST(ClientStream, nothing_is_sent_again_once_a_body_has_begun, sim) {
    finishes(sim, []() -> Task<Result<>> {
        LogCapture log;
        Stops stops;
        int alive = 0;
        const Error lost(ErrorKind::closed, "connection_lost", "it broke");
        Streams server{[&](int attempt) {
            return ClientResponse{.status = attempt < 3 ? 503 : 200,
                                  .stream = pieces_of({"one"}, lost, true, &alive)};
        }};
        HttpClient client(server.transport(), {request_log(), retry({.base = 1s})});
        ClientResponse answer =
            co_await require(client.stream(Method::get, "http://a.example/?token=hunter2"));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(server.asked, 3);
        EXPECT_EQ(alive, 1);  // the answers that were not wanted are gone
        EXPECT_EQ((co_await answer.stream.rest(100)).error().code(), "connection_lost");
        EXPECT_EQ(server.asked, 3);
        EXPECT_EQ(stops.errors, (std::vector<std::string>{"connection_lost"}));
        EXPECT_TRUE(log.contains("http answer broke off"));
        EXPECT_FALSE(log.contains("hunter2"));
        co_return {};
    });
}

BENNU_SIM_TEST(ClientStream, streams_that_break_open_the_circuit, sim) {
    finishes(sim, []() -> Task<Result<>> {
        const Error lost(ErrorKind::closed, "connection_lost", "it broke");
        Streams server{[&](int) {
            return ClientResponse{.status = 200, .stream = pieces_of({}, lost, true)};
        }};
        HttpClient client(server.transport(), {circuit_breaker({.at_least = 4})});
        for (int i = 0; i < 2; ++i) {
            ClientResponse answer =
                co_await require(client.stream(Method::get, "http://a.example/"));
            EXPECT_FALSE(co_await answer.stream.next());
        }
        EXPECT_EQ((co_await client.stream(Method::get, "http://a.example/")).error().code(),
                  "circuit_open");
        co_return {};
    });
}

/// Two pieces, and how often they were asked for from the start.
NextPiece two_pieces() {
    auto sent = std::make_shared<int>(0);
    return [sent]() -> Task<Result<std::optional<std::string>>> {
        if (++*sent > 2) co_return std::optional<std::string>();
        co_return std::optional<std::string>("piece" + std::to_string(*sent));
    };
}

/// Fails twice before anything is sent.
StepPtr refuses(int& count) {
    struct Refuses : Step {
        int* refused;
        Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
            if (++*refused <= 2) {
                co_return Error(ErrorKind::unavailable, "not_reachable", "nobody is there");
            }
            --*refused;
            co_return co_await next(std::move(request));
        }
    };
    auto step = std::make_shared<Refuses>();
    step->refused = &count;
    return step;
}

BENNU_SIM_TEST(ClientStream, an_upload_is_repeated_only_if_it_can_begin_again, sim) {
    finishes(sim, []() -> Task<Result<>> {
        int asked = 0;
        std::vector<std::string> bodies;
        HttpClient client(
            stub_transport([&](ClientRequest request) -> Task<Result<ClientResponse>> {
                bodies.push_back(request.body);
                co_return ClientResponse{.status = ++asked < 3 ? 503 : 200};
            }),
            {retry({.repeatable = Repeatable::all, .base = 1ms})});
        const std::string url = "http://a.example/";
        ClientUpload once = upload_pieces(two_pieces());
        EXPECT_TRUE(once.may_begin());
        EXPECT_EQ((co_await client.post(url, {.upload = once}))->status, 503);
        EXPECT_EQ(bodies, (std::vector<std::string>{"piece1piece2"}));
        EXPECT_EQ((co_await client.post(url, {.upload = once})).error().code(), "upload_used");
        ClientUpload again([] { return piece_source(two_pieces()); }, 12);
        EXPECT_EQ((co_await client.post(url, {.upload = again}))->status, 200);
        EXPECT_EQ(bodies.size(), 3u);
        EXPECT_EQ(bodies.back(), "piece1piece2");
        ClientUpload wrong([] { return piece_source(two_pieces()); }, 11);
        EXPECT_EQ((co_await client.post(url, {.upload = wrong})).error().code(), "upload_length");
        // Nobody had taken from it when the connection was refused.
        int refused = 0;
        HttpClient flaky(stub_transport([&](ClientRequest) -> Task<Result<ClientResponse>> {
                             co_return ClientResponse{.status = 200};
                         }),
                         {retry({.repeatable = Repeatable::all, .base = 1ms}), refuses(refused)});
        EXPECT_EQ((co_await flaky.post(url, {.upload = upload_pieces(two_pieces())}))->status, 200);
        EXPECT_EQ(refused, 2);
        co_return {};
    });
}

BENNU_SIM_TEST(ClientStream, an_endpoint_is_asked_with_streams_both_ways, sim) {
    finishes(sim, []() -> Task<Result<>> {
        struct Echo : HttpHandler {
            BodyPlan body_plan(const RequestHead&) const override {
                return {.limit = 1000, .delivery = BodyPlan::Delivery::streamed};
            }
            Task<HttpResponse> handle(HttpRequest request) const override {
                HttpResponse response;
                response.body =
                    BodyProducer([body = request.stream](BodyWriter out) mutable -> Task<Result<>> {
                        while (auto piece = co_await require(body.next()))
                            co_await require(out.write(*piece));
                        for (int i = 0;; ++i) co_await require(out.write(std::to_string(i)));
                    });
                co_return response;
            }
            HttpResponse failure(int status, std::string_view, std::string_view) const override {
                return {.status = status};
            }
        };
        HttpClient client(handler_transport(std::make_shared<Echo>()));
        ClientResponse answer = co_await require(client.stream(
            Method::post, "http://a.example/", {.upload = upload_pieces(two_pieces())}));
        EXPECT_EQ(co_await require(answer.stream.next()), "piece1piece2");
        EXPECT_EQ(co_await require(answer.stream.next()), "0");
        co_await sleep(1s);
        EXPECT_EQ(co_await require(answer.stream.next()), "1");
        Result<ClientResponse> endless = co_await client.post(
            "http://a.example/", {.max_body = 1000, .upload = upload_pieces(two_pieces())});
        EXPECT_EQ(endless.error().kind(), ErrorKind::too_large);
        co_return {};
    });
}

}  // namespace bennu::net::client_stream_test
