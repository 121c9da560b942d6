#include <gtest/gtest.h>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_request_events_test {

using namespace std::chrono_literals;
using Events = std::vector<std::string>;

/// `route.exception /slow exit cancelled`: name, route, then status or kind and reason.
class Heard {
  public:
    Events take() { return std::exchange(events_, {}); }
    const Events& events() const { return events_; }

  private:
    Events events_;
    Subscription listening_ = subscribe_events("web.*", [this](const EventView& event) {
        std::string text(event.name.substr(4));
        for (std::string_view key : {"route", "status", "kind", "reason"}) {
            for (const Attribute& attribute : event.metadata) {
                const std::string value = to_string(attribute.value);
                if (attribute.key == key && !value.empty()) text += " " + value;
            }
        }
        events_.push_back(std::move(text));
    });
};

Response fine(Conn conn) {
    return text(conn, 200, "fine");
}
Response crash(Conn) {
    throw std::runtime_error("told to");
}

/// A plug that fails once the response is there.
struct FailsAfter {
    void after(Conn, Response&) const { throw std::runtime_error("too late"); }
};
/// The same, having waited.
struct FailsLate {
    Task<> after(Conn, Response&) const {
        co_await sleep(1ms);
        throw std::runtime_error("too late");
    }
};

/// Their actions say whose process they run in.
std::shared_ptr<Router> make_router(std::shared_ptr<Pid> process) {
    auto router = std::make_shared<Router>();
    auto slow = [process](Conn conn) -> Task<Response> {
        *process = self();
        co_await sleep(100ms);
        co_return text(conn, 200, "slow");
    };
    router->get("/fine", fine, {.name = "fine"});
    router->get("/slow", slow);
    router->get("/limited", slow, {.time_limit = 10ms});
    router->get("/endless", [process](Conn conn) -> Task<Response> {
        *process = self();
        co_await sleep(1h);
        co_return text(conn, 200, "never");
    });
    auto waits = [process](Conn) -> Task<std::optional<Response>> {
        *process = self();
        co_await sleep(1h);
        co_return std::nullopt;
    };
    router->get("/waiting", fine, {.plugs = {Plug(waits)}});
    router->get("/after", fine, {.plugs = {Plug(FailsAfter{})}});
    router->get("/late", fine, {.plugs = {Plug(FailsLate{})}});
    router->get("/twice", crash, {.plugs = {Plug(FailsAfter{}), Plug(FailsAfter{})}});
    router->get("/hook", [](Conn conn) {
        conn.before_send([](Response&) { throw std::runtime_error("too late"); });
        return fine(conn);
    });
    router->get("/crash/:id", crash);
    router->get("/plug", fine, {.plugs = {Plug([](Conn) { throw std::runtime_error("no"); })}});
    return router;
}

using Client = Function<Task<>(SocketAddress, std::shared_ptr<Pid>)>;

/// Stops when the client is through.
void serve(SimOptions sim, Client client) {
    finishes(sim, [client = std::move(client)]() mutable -> Task<Result<>> {
        auto process = std::make_shared<Pid>();
        auto endpoint = Endpoint::make({.port = 8000}, make_router(process)).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await start<net::HttpServer>({}, endpoint->server_options(), handler);
        if (!server) co_return std::move(server).error();
        co_await client(co_await call(*server, net::HttpServer::Address{}), process);
        co_await stop_and_wait(server->pid(), 60s);
        co_return Result<>();
    });
}

std::string get(std::string path) {
    return "GET " + path + " HTTP/1.1\r\nhost: a\r\n\r\n";
}
constexpr std::string_view last = "GET /fine HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

const Events fine_events{"request.start", "route.start fine", "route.stop fine",
                         "request.stop fine 200"};

Events cancelled(std::string route) {
    return {"request.start", "route.start " + route,
            "request.exception " + route + " exit cancelled",
            "route.exception " + route + " exit cancelled", "request.stop " + route + " 0"};
}
Events failed_late(std::string route) {
    const std::string fault = " error std::runtime_error: too late";
    return {"request.start", "route.start " + route, "request.exception " + route + fault,
            "route.exception " + route + fault, "request.stop " + route + " 500"};
}
Events both(Events first, const Events& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

TEST(RequestEvents, a_request_and_its_route_start_stop_and_fail) {
    LogCapture log;
    TestClient client(make_router(std::make_shared<Pid>()));
    Heard heard;
    auto events_of = [&](std::string target) {
        client.get(std::move(target));
        return heard.take();
    };
    EXPECT_EQ(events_of("/fine"), fine_events);
    EXPECT_EQ(events_of("/slow"), (Events{"request.start", "route.start /slow", "route.stop /slow",
                                          "request.stop /slow 200"}));
    EXPECT_EQ(events_of("/crash/7"),
              (Events{"request.start", "route.start /crash/:id",
                      "request.exception /crash/:id error std::runtime_error: told to",
                      "route.exception /crash/:id error std::runtime_error: told to",
                      "request.stop /crash/:id 500"}));
    EXPECT_EQ(events_of("/plug"),
              (Events{"request.start", "request.exception /plug error std::runtime_error: no",
                      "request.stop /plug 500"}));
    EXPECT_EQ(events_of("/none"), (Events{"request.start", "request.stop 404"}));
    // The time limit is an answer like others.
    EXPECT_EQ(events_of("/limited"), (Events{"request.start", "route.start /limited",
                                             "route.stop /limited", "request.stop /limited 504"}));
}

TEST(RequestEvents, a_fault_after_the_action_is_the_one_end_of_its_route) {
    LogCapture log;
    TestClient client(make_router(std::make_shared<Pid>()));
    Heard heard;
    for (std::string route : {"/after", "/late", "/hook"}) {
        EXPECT_EQ(client.get(route).status, 500);
        EXPECT_EQ(heard.take(), failed_late(route));
    }
    // What goes wrong afterwards is in the log.
    EXPECT_EQ(client.get("/twice").status, 500);
    const Events events = heard.take();
    EXPECT_EQ(std::ranges::count_if(events, [](auto& e) { return e.contains("exception"); }), 2);
    EXPECT_EQ(std::ranges::count_if(events, [](auto& e) { return e.contains("stop"); }), 1);
    EXPECT_TRUE(events.back().starts_with("request.stop /twice 500"));
    EXPECT_TRUE(log.contains("told to"));
    EXPECT_TRUE(log.contains("too late"));
}

BENNU_SIM_TEST(RequestEvents, after_such_a_fault_the_connection_goes_on, sim) {
    LogCapture log;
    Heard heard;
    std::string answers;
    std::vector<int> statuses;
    serve(sim, [&](SocketAddress address, std::shared_ptr<Pid>) -> Task<> {
        for (std::string route : {"/after", "/late", "/hook"}) {
            answers = co_await net::exchange(address, get(route) + std::string(last));
            EXPECT_TRUE(answers.starts_with("HTTP/1.1 500 ")) << answers;
            EXPECT_TRUE(answers.contains("\r\n\r\nfine")) << answers;
            EXPECT_EQ(heard.take(), both(failed_late(route), fine_events));
        }
        auto client = co_await start<net::Http2Client>({}, address);
        for (std::string route : {"/after", "/late", "/hook", "/fine"}) {
            const auto reply = co_await call(*client, net::Http2Client::Ask{{{":path", route}}});
            EXPECT_TRUE(reply.ended);
            statuses.push_back(reply.status);
        }
    });
    EXPECT_EQ(statuses, (std::vector<int>{500, 500, 500, 200}));
    EXPECT_EQ(heard.take(),
              both(both(both(failed_late("/after"), failed_late("/late")), failed_late("/hook")),
                   fine_events));
}

BENNU_SIM_TEST(RequestEvents, a_request_whose_process_is_killed_ends_as_cancelled, sim) {
    LogCapture log;
    Heard heard;
    serve(sim, [&](SocketAddress address, std::shared_ptr<Pid> process) -> Task<> {
        auto plain = co_await start<net::RawClient>({}, address);
        cast(*plain, net::RawClient::Send{get("/endless")});
        co_await sleep(50ms);
        kill(*process, "told to");
        EXPECT_EQ(co_await call(*plain, net::RawClient::ReadAll{}), "");
        EXPECT_EQ(heard.take(), cancelled("/endless"));

        // A plug was at work: the route's action had not begun.
        auto waiting = co_await start<net::RawClient>({}, address);
        cast(*waiting, net::RawClient::Send{get("/waiting")});
        co_await sleep(50ms);
        kill(*process, "told to");
        EXPECT_EQ(co_await call(*waiting, net::RawClient::ReadAll{}), "");
        EXPECT_EQ(heard.take(),
                  (Events{"request.start", "request.exception /waiting exit cancelled",
                          "request.stop /waiting 0"}));

        auto client = co_await start<net::Http2Client>({}, address);
        const auto id =
            co_await call(*client, net::Http2Client::Begin{{{":path", "/endless"}}, true});
        co_await sleep(50ms);
        kill(*process, "told to");
        const auto reply = co_await call(*client, net::Http2Client::Await{id});
        EXPECT_TRUE(reply.closed);
        EXPECT_EQ(reply.status, 0);
        EXPECT_EQ(heard.take(), cancelled("/endless"));
    });
}

BENNU_SIM_TEST(RequestEvents, who_is_not_done_when_the_server_stops_ends_as_cancelled, sim) {
    LogCapture log;
    Heard heard;
    serve(sim, [&](SocketAddress address, std::shared_ptr<Pid>) -> Task<> {
        auto plain = co_await start<net::RawClient>({}, address);
        cast(*plain, net::RawClient::Send{get("/endless")});
        co_await sleep(50ms);
    });
    EXPECT_EQ(heard.take(), cancelled("/endless"));
    serve(sim, [&](SocketAddress address, std::shared_ptr<Pid>) -> Task<> {
        auto client = co_await start<net::Http2Client>({}, address);
        (void)co_await call(*client, net::Http2Client::Begin{{{":path", "/endless"}}, true});
        co_await sleep(50ms);
    });
    EXPECT_EQ(heard.take(), cancelled("/endless"));
}

BENNU_SIM_TEST(RequestEvents, an_action_whose_client_left_goes_on_to_its_end, sim) {
    Heard heard;
    const Events whole{"request.start", "route.start /slow", "route.stop /slow",
                       "request.stop /slow 200"};
    serve(sim, [&](SocketAddress address, std::shared_ptr<Pid>) -> Task<> {
        auto plain = co_await start<net::RawClient>({}, address);
        cast(*plain, net::RawClient::Send{get("/slow")});
        co_await sleep(50ms);
        cast(*plain, net::RawClient::Disconnect{});
        co_await sleep(1s);
        EXPECT_EQ(heard.take(), whole);

        auto client = co_await start<net::Http2Client>({}, address);
        const auto id = co_await call(*client, net::Http2Client::Begin{{{":path", "/slow"}}, true});
        co_await sleep(50ms);
        cast(*client, net::Http2Client::Reset{id});
        co_await sleep(1s);
        EXPECT_EQ(heard.take(), whole);
    });
}

}  // namespace web_request_events_test
}  // namespace bennu
