// A site served over the simulated network, for tests that look at the bytes of a connection.
#pragma once

#include <gtest/gtest.h>

#include "bennu/net/http_server.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/runtime/simulation.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu::served_site_test {

/// Serves the router on port 8000 for as long as the client runs; everything has to end by itself.
inline void serve(SimOptions sim, EndpointOptions options,
                  Function<std::shared_ptr<Router>()> make_router,
                  Function<Task<>(SocketAddress)> client) {
    auto outcome = simulate(sim, [&]() -> Task<Result<>> {
        options.port = 8000;
        auto endpoint = Endpoint::make(options, make_router()).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await require(
            co_await start<net::HttpServer>({}, endpoint->server_options(), handler));
        co_await client({"127.0.0.1", 8000});
        co_await stop_and_wait(server.pid(), std::chrono::seconds(30));
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

/// What a client gets that sends a head and waits for the answer with the body.
inline Task<std::string> answer_to_head(SocketAddress address, std::string head) {
    auto client = (co_await start<net::RawClient>({}, address)).value();
    cast(client, net::RawClient::Send{std::move(head)});
    co_return co_await call(client, net::RawClient::ReadAll{});
}

}  // namespace bennu::served_site_test
