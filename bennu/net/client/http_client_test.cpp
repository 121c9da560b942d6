#include "bennu/net/client/http_client.hpp"

#include <gtest/gtest.h>

#include "bennu/base/events.hpp"
#include "bennu/net/client/circuit_breaker.hpp"
#include "bennu/net/client/request_log.hpp"
#include "bennu/net/client/request_rate.hpp"
#include "bennu/net/client/request_steps.hpp"
#include "bennu/net/client/retry.hpp"
#include "bennu/net/client/stub_transport.hpp"
#include "bennu/net/http_date.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net::http_client_test {

using namespace std::chrono_literals;

/// Answers with these statuses, the last one again and again; keeps what it was asked.
struct Script {
    std::vector<int> statuses;
    std::vector<ClientRequest> asked = {};
    Headers headers = {};

    std::shared_ptr<Transport> transport() {
        return stub_transport([this](ClientRequest request) -> Task<Result<ClientResponse>> {
            const std::size_t at = std::min(asked.size(), statuses.size() - 1);
            asked.push_back(request);
            co_return ClientResponse{.status = statuses[at], .headers = headers, .body = "text"};
        });
    }
};

struct Device {
    std::string tag;
    int ports = 0;
};
BENNU_RECORD(Device, tag, ports)

BENNU_SIM_TEST(HttpClient, a_record_goes_out_and_comes_back, sim) {
    finishes(sim, []() -> Task<Result<>> {
        std::string type, url, body;
        HttpClient client(
            stub_transport([&](ClientRequest request) -> Task<Result<ClientResponse>> {
                type = request.headers.get("content-type");
                url = request.url;
                body = request.body;
                co_return ClientResponse{.status = 200,
                                         .body =
                                             "\xEF\xBB\xBF"
                                             R"({"tag":"A-1","ports":8,"new":true})"};
            }),
            {base_url("https://api.example.com/v1/"), default_header("x-app", "bennu")});
        ClientResponse answer = co_await require(
            client.post("/devices/:id/x", {.path = {{"id", "a/b c"}},
                                           .query = Json::object({{"q", "1&2"}}),
                                           .json = to_json_value(Device{"A-0", 4})}));
        EXPECT_EQ(url, "https://api.example.com/v1/devices/a%2Fb%20c/x?q=1%262");
        EXPECT_EQ(type, "application/json");
        EXPECT_EQ(body, R"({"tag":"A-0","ports":4})");
        Device device = co_await require(answer.json<Device>());
        EXPECT_EQ(device.tag, "A-1");
        EXPECT_EQ(device.ports, 8);
        Result<ClientResponse> other = co_await client.get("https://evil.example/");
        EXPECT_EQ(other.error().code(), "other_origin");
        other = co_await client.get("/:id", {.path = {{"id", ".."}}});
        EXPECT_EQ(other.error().code(), "bad_path_parameter");
        other = co_await client.get("/", {.headers = {{"x", "a\r\nb: c"}}});
        EXPECT_EQ(other.error().code(), "bad_header");
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, a_server_that_fails_twice_is_asked_a_third_time, sim) {
    finishes(sim, []() -> Task<Result<>> {  // proves 3.40
        Script script{.statuses = {500, 500, 200}};
        HttpClient client(script.transport(), {expect_success(), retry({.base = 1s})});
        const Instant begun = now();
        ClientResponse answer = co_await require(client.get("http://a.example/"));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(script.asked.size(), 3u);
        EXPECT_GE(now() - begun, 1500ms);
        EXPECT_LE(now() - begun, 3001ms);
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, only_what_may_be_repeated_is, sim) {
    finishes(sim, []() -> Task<Result<>> {
        struct Case {
            Method method;
            Repeatable repeatable;
            std::size_t asked;
        };
        for (const Case& one :
             {Case{Method::post, Repeatable::safe, 1}, Case{Method::put, Repeatable::safe, 1},
              Case{Method::put, Repeatable::idempotent, 3},
              Case{Method::post, Repeatable::idempotent, 1}, Case{Method::post, Repeatable::all, 3},
              Case{Method::head, Repeatable::safe, 3}}) {
            Script script{.statuses = {503}};
            HttpClient client(script.transport(),
                              {retry({.attempts = 3, .repeatable = one.repeatable})});
            ClientResponse answer = co_await require(client.call(one.method, "http://a.example/"));
            EXPECT_EQ(answer.status, 503);
            EXPECT_EQ(script.asked.size(), one.asked) << to_string(one.method);
        }
        Script fine{.statuses = {404}};
        HttpClient client(fine.transport(), {retry()});
        EXPECT_EQ((co_await client.get("http://a.example/"))->status, 404);
        EXPECT_EQ(fine.asked.size(), 1u);
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, retry_after_is_honoured_in_seconds_and_as_a_date, sim) {
    finishes(sim, []() -> Task<Result<>> {
        for (bool date : {false, true}) {
            Script script{.statuses = {429, 200}};
            HttpDate format;
            script.headers.set("retry-after",
                               date ? std::string(format.at(wall_now() + 20s)) : "20");
            HttpClient client(script.transport(), {retry()});
            const Instant begun = now();
            EXPECT_EQ((co_await client.get("http://a.example/"))->status, 200);
            EXPECT_GE(now() - begun, date ? 18s : 20s);
            EXPECT_LE(now() - begun, 21s);
        }
        // Longer than it may take, or than is left: the answer as it is, at once.
        Script script{.statuses = {429, 200}};
        script.headers.set("retry-after", "50");
        HttpClient client(script.transport(), {retry()});
        const Instant begun = now();
        EXPECT_EQ((co_await client.get("http://a.example/", {.timeout = 10s}))->status, 429);
        EXPECT_LT(now() - begun, 1s);
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, retries_add_at_most_a_tenth, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Script script{.statuses = {500}};
        HttpClient client(script.transport(), {retry({.base = 1ms, .burst = 5})});
        for (int i = 0; i < 200; ++i) EXPECT_TRUE(co_await client.get("http://a.example/"));
        EXPECT_LE(script.asked.size(), 200u + 20 + 5);
        EXPECT_GE(script.asked.size(), 200u + 20);
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, a_circuit_opens_tries_and_closes, sim) {
    finishes(sim, []() -> Task<Result<>> {
        std::vector<std::string> states;
        Subscription seen = subscribe_events("net.client.circuit", [&](const EventView& event) {
            states.push_back(to_string(event.metadata[1].value));
        });
        bool broken = true;
        int asked = 0;
        HttpClient client(stub_transport([&](ClientRequest) -> Task<Result<ClientResponse>> {
                              ++asked;
                              co_await sleep(20ms);
                              co_return ClientResponse{.status = broken ? 502 : 200};
                          }),
                          {circuit_breaker({.at_least = 4, .rest = 10s, .trials = 2})});
        for (int i = 0; i < 4; ++i)
            EXPECT_EQ((co_await client.get("http://a.example/"))->status, 502);
        Result<ClientResponse> refused = co_await client.get("http://a.example/");
        EXPECT_EQ(refused.error().code(), "circuit_open");
        EXPECT_EQ(asked, 4);
        // Another origin has a circuit of its own.
        EXPECT_TRUE(co_await client.get("http://b.example/"));
        co_await sleep(10s);
        EXPECT_EQ((co_await client.get("http://a.example/"))->status, 502);
        EXPECT_FALSE(co_await client.get("http://a.example/"));
        broken = false;
        co_await sleep(10s);
        // A trial that is called off leaves room for the next; two at once are one too many.
        EXPECT_FALSE(co_await within(client.get("http://a.example/"), 5ms));
        auto [first, second] =
            co_await gather(client.get("http://a.example/"), client.get("http://a.example/"));
        EXPECT_TRUE(first);
        EXPECT_EQ(second.error().code(), "circuit_open");
        EXPECT_TRUE(co_await client.get("http://a.example/"));
        EXPECT_TRUE(co_await client.get("http://a.example/"));
        EXPECT_EQ(states,
                  (std::vector<std::string>{"open", "half_open", "open", "half_open", "closed"}));
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, requests_wait_for_their_turn_or_fail, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Script script{.statuses = {200}};
        HttpClient client(script.transport(),
                          {request_rate({.per_second = 2, .burst = 2, .longest_wait = 1s})});
        std::vector<Task<Result<ClientResponse>>> calls;
        for (int i = 0; i < 6; ++i) calls.push_back(client.get("http://a.example/"));
        const Instant begun = now();
        auto answers = co_await gather(std::move(calls));
        // Two at once, then one each half second; the last two would wait for longer than 1 s.
        EXPECT_EQ(std::ranges::count_if(answers, [](auto& a) { return a.has_value(); }), 4);
        EXPECT_EQ(answers[5].error().code(), "rate_limited");
        EXPECT_GE(now() - begun, 1s);
        EXPECT_LE(now() - begun, 1010ms);
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, redirects_keep_credentials_at_home, sim) {
    finishes(sim, []() -> Task<Result<>> {
        std::vector<ClientRequest> asked;
        std::string target = "https://b.example/there";
        HttpClient client(
            stub_transport([&](ClientRequest request) -> Task<Result<ClientResponse>> {
                asked.push_back(request);
                ClientResponse answer{.status = 302};
                if (request.url == "https://b.example/there") answer.status = 200;
                answer.headers.set("location", target);
                co_return answer;
            }),
            {follow_redirects()});
        RequestOptions login{.headers = {{"authorization", "Bearer x"}, {"accept", "*/*"}},
                             .body = "form"};
        EXPECT_EQ((co_await client.post("https://a.example/", login))->status, 200);
        EXPECT_EQ(asked[1].method, Method::get);
        EXPECT_EQ(asked[1].body, "");
        EXPECT_FALSE(asked[1].headers.contains("authorization"));
        EXPECT_TRUE(asked[1].headers.contains("accept"));
        target = "http://a.example/";
        Result<ClientResponse> refused = co_await client.get("https://a.example/");
        EXPECT_EQ(refused.error().code(), "insecure_redirect");
        asked.clear();
        target = "/again";
        refused = co_await client.get("https://a.example/");
        EXPECT_EQ(refused.error().code(), "too_many_redirects");
        EXPECT_EQ(asked.size(), 11u);
        EXPECT_EQ(asked[1].url, "https://a.example/again");
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, no_secret_reaches_the_log, sim) {
    finishes(sim, []() -> Task<Result<>> {  // proves 3.40
        LogCapture log;
        Script script{.statuses = {200, 500}};
        HttpClient client(
            script.transport(),
            {basic_auth("ann", Secret("hunter2-a")), default_header("x-api-key", "hunter2-b"),
             request_log({.headers = {"authorization", "x-api-key", "cookie", "accept"},
                          .secret_parameters = {"pin"}})});
        for (int i = 0; i < 2; ++i)
            EXPECT_TRUE(co_await client.get(
                "https://u:hunter2-c@a.example/"
                "x?page=2&access_token=hunter2-d&pin=hunter2-e#hunter2",
                {.headers = {{"cookie", "s=hunter2-f"}, {"accept", "text/plain"}}}));
        EXPECT_FALSE(log.contains("hunter2"));
        EXPECT_TRUE(log.contains("https://***@a.example/x?page=2&access_token=***&pin=***"));
        EXPECT_TRUE(log.contains("accept: text/plain"));
        EXPECT_EQ(script.asked[0].headers.get("authorization"), "Basic YW5uOmh1bnRlcjItYQ==");
        co_return Result<>();
    });
}

BENNU_SIM_TEST(HttpClient, three_hundred_slow_calls_overlap, sim) {
    finishes(sim, []() -> Task<Result<>> {  // proves 3.12
        HttpClient client(stub_transport([](ClientRequest) -> Task<Result<ClientResponse>> {
            co_await sleep(1s);
            co_return ClientResponse{.status = 200};
        }));
        std::vector<Task<Result<ClientResponse>>> calls;
        for (int i = 0; i < 300; ++i) calls.push_back(client.get("http://a.example/"));
        const Instant begun = now();
        auto answers = co_await gather(std::move(calls));
        EXPECT_TRUE(std::ranges::all_of(answers, [](auto& a) { return a.has_value(); }));
        EXPECT_LT(now() - begun, 1100ms);
        co_return Result<>();
    });
}

struct Asker : Server {
    struct Ask {
        using Reply = std::string;
    };
    explicit Asker(HttpClient client) : client_(std::move(client)) {}
    Task<std::string> handle(Ask) {
        Result<ClientResponse> answer = co_await client_.get("http://a.example/");
        co_return answer ? "answered" : std::string(answer.error().code());
    }
    HttpClient client_;
};

BENNU_SIM_TEST(HttpClient, a_call_ends_with_its_callers_time_and_with_its_frame, sim) {
    finishes(sim, []() -> Task<Result<>> {
        int alive = 0;
        HttpClient client(stub_transport([&](ClientRequest) -> Task<Result<ClientResponse>> {
                              CountsAlive here(alive);
                              co_await sleep(1h);
                              co_return ClientResponse{.status = 200};
                          }),
                          {retry(), circuit_breaker()});
        const Instant begun = now();
        Result<ClientResponse> late = co_await client.get("http://a.example/", {.timeout = 2s});
        EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
        EXPECT_GE(now() - begun, 2s);
        EXPECT_LE(now() - begun, 2010ms);
        EXPECT_EQ(alive, 0);
        Ref<Asker> asker = spawn<Asker>(client);
        auto asked = co_await try_call(asker, Asker::Ask{}, {.timeout = 3s});
        EXPECT_FALSE(asked);
        co_await sleep(10ms);
        EXPECT_EQ(alive, 0);
        co_return Result<>();
    });
}

}  // namespace bennu::net::http_client_test
