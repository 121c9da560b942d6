#include "bennu/net/client/oauth2.hpp"

#include <gtest/gtest.h>

#include "bennu/net/client/stub_transport.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net::oauth2_test {

using namespace std::chrono_literals;

/// A token server, and an API that takes the latest token only.
struct World {
    int issued = 0;
    int status = 200;
    Duration issuing = 10ms;
    std::int64_t expires_in = 3600;
    std::vector<ClientRequest> asked = {};
    std::vector<std::string> refused = {};

    std::string good() const { return "Bearer token-" + std::to_string(issued); }

    HttpClient tokens() {
        return HttpClient(
            stub_transport([this](ClientRequest request) -> Task<Result<ClientResponse>> {
                asked.push_back(request);
                co_await sleep(issuing);
                const std::string token = "token-" + std::to_string(++issued);
                Json body = Json::object({{"access_token", token}, {"token_type", "bearer"}});
                body.set("expires_in", expires_in);
                co_return ClientResponse{.status = status, .body = to_json(body)};
            }));
    }
    HttpClient api() {
        OAuth2Options options{.token_url = "https://id.example/token",
                              .client_id = "app 1",
                              .client_secret = Secret("s:cret"),
                              .scope = "assets.read",
                              .parameters = {{"audience", "api"}}};
        return HttpClient(
            stub_transport([this](ClientRequest request) -> Task<Result<ClientResponse>> {
                std::string given(request.headers.get("authorization"));
                if (given == good()) co_return ClientResponse{.status = 200};
                refused.push_back(given);
                co_return ClientResponse{.status = 401};
            }),
            {oauth2_client_credentials(tokens(), std::move(options))});
    }
};

Task<Result<int>> status_of(HttpClient api) {
    ClientResponse answer = co_await require(api.get("https://api.example/"));
    co_return answer.status;
}

BENNU_SIM_TEST(OAuth2, asks_once_for_many_and_uses_the_token_until_it_ends, sim) {
    World world;
    finishes(sim, [&]() -> Task<Result<>> {
        HttpClient api = world.api();
        auto [a, b, c] = co_await gather(status_of(api), status_of(api), status_of(api));
        EXPECT_EQ(a.value() + b.value() + c.value(), 600);
        EXPECT_EQ(world.issued, 1);
        co_await sleep(3500s);
        EXPECT_EQ((co_await require(status_of(api))), 200);
        EXPECT_EQ(world.issued, 1);
        co_await sleep(80s);  // half a minute before its end
        EXPECT_EQ((co_await require(status_of(api))), 200);
        EXPECT_EQ(world.issued, 2);
        co_return {};
    });
    ASSERT_FALSE(world.asked.empty());
    const ClientRequest& asked = world.asked.front();
    EXPECT_EQ(asked.method, Method::post);
    EXPECT_EQ(asked.body, "grant_type=client_credentials&scope=assets.read&audience=api");
    EXPECT_EQ(asked.headers.get("authorization"), "Basic YXBwJTIwMTpzJTNBY3JldA==");
    EXPECT_TRUE(world.refused.empty());
}

BENNU_SIM_TEST(OAuth2, a_token_that_was_revoked_is_replaced_once, sim) {
    World world;
    finishes(sim, [&]() -> Task<Result<>> {
        HttpClient api = world.api();
        EXPECT_EQ((co_await require(status_of(api))), 200);
        ++world.issued;  // the one that the client holds is worth nothing now
        EXPECT_EQ((co_await require(status_of(api))), 200);
        EXPECT_EQ(world.refused, std::vector<std::string>{"Bearer token-1"});
        EXPECT_EQ(world.asked.size(), 2U);
        co_return {};
    });
}

BENNU_SIM_TEST(OAuth2, a_server_that_gives_no_token_is_an_error_and_is_asked_again, sim) {
    World world;
    world.status = 403;
    finishes(sim, [&]() -> Task<Result<>> {
        HttpClient api = world.api();
        Result<int> failed = co_await status_of(api);
        EXPECT_EQ(failed.error().code(), "oauth2_refused");
        EXPECT_FALSE(failed.error().describe().contains("s:cret"));
        world.status = 200;
        EXPECT_EQ((co_await require(status_of(api))), 200);
        co_return {};
    });
}

BENNU_SIM_TEST(OAuth2, a_call_that_gives_up_lets_another_one_ask, sim) {
    World world;
    world.issuing = 1s;
    finishes(sim, [&]() -> Task<Result<>> {
        HttpClient api = world.api();
        auto impatient = co_await within(status_of(api), 100ms);
        EXPECT_FALSE(impatient);
        EXPECT_EQ((co_await require(status_of(api))), 200);
        EXPECT_EQ(world.asked.size(), 2U);
        co_return {};
    });
}

}  // namespace bennu::net::oauth2_test
