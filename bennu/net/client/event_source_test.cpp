#include "bennu/net/client/event_source.hpp"

#include <gtest/gtest.h>

#include "bennu/net/client/stub_transport.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::event_source_test {

using namespace std::chrono_literals;

/// The events of a text, as `event|data|id`, fed in pieces of `size`.
std::vector<std::string> events_of(std::string_view text, std::size_t size = 1000) {
    SseParser parser(100, "before");
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text.size(); at += size) {
        if (Result<> fed = parser.feed(text.substr(at, size)); !fed)
            found.emplace_back(fed.error().code());
        while (auto event = parser.take())
            found.push_back(event->event + "|" + event->data + "|" + event->id);
    }
    if (parser.retry())
        found.push_back("retry " + std::to_string(parser.retry()->count() / 1'000'000));
    return found;
}

TEST(SseParser, fields_lines_and_ends) {
    using Events = std::vector<std::string>;
    struct Case {
        std::string_view text;
        Events events;
    };
    using namespace std::string_view_literals;
    for (const Case& one : {
             Case{"data: a\n\n", {"message|a|before"}},
             Case{"data:a\r\ndata:  b\r\n\r\n", {"message|a\n b|before"}},
             Case{"data: a\rdata: b\r\r", {"message|a\nb|before"}},
             Case{"event: tick\nid: 7\ndata\n\ndata: b\n\n", {"tick||7", "message|b|7"}},
             Case{": comment\n\n: more\nevent: x\n\ndata: y\n\n", {"message|y|before"}},
             Case{"id: 9\n\ndata: a\n\n", {"message|a|9"}},
             Case{"id: 9\0\ndata: a\n\n"sv, {"message|a|before"}},
             Case{"id\ndata: a\n\n", {"message|a|"}},
             Case{"\xEF\xBB\xBF"
                  "data: a\n\n",
                  {"message|a|before"}},
             Case{"retry: 1500\nretry: 2x\nretry:\n", {"retry 1500"}},
             Case{"data: unfinished\n", {}},
             Case{"unknown: a\ndata : b\nData: c\n\n", {}},
         }) {
        EXPECT_EQ(events_of(one.text), one.events) << one.text;
        EXPECT_EQ(events_of(one.text, 1), one.events) << one.text;
    }
    const std::string line(60, 'x');
    EXPECT_EQ(events_of("data: " + line + "\ndata: " + line + "\n\n"), Events{"event_too_large"});
}

/// One connection after the other.
struct Server {
    struct Connection {
        int status = 200;
        std::string body = {};
        std::string type = "text/event-stream; charset=utf-8";
    };
    std::vector<Connection> connections;
    std::vector<std::string> last_ids = {};
    std::vector<Instant> at = {};

    HttpClient client() {
        return HttpClient(
            stub_transport([this](ClientRequest request) -> Task<Result<ClientResponse>> {
                at.push_back(now());
                last_ids.emplace_back(request.headers.get("last-event-id"));
                EXPECT_EQ(request.headers.get("accept"), "text/event-stream");
                if (last_ids.size() > connections.size())
                    co_return Error(ErrorKind::unavailable, "not_reachable", "nobody is there");
                const Connection& connection = connections[last_ids.size() - 1];
                ClientResponse answer{.status = connection.status, .body = connection.body};
                answer.headers.set("content-type", connection.type);
                co_return answer;
            }));
    }
};

BENNU_SIM_TEST(EventSource, goes_on_behind_the_last_event_of_the_connection_before, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Server server{{{.body = "retry: 2000\nid: 1\ndata: a\n\nid: 2\ndata: half"},
                       {.status = 503},
                       {.body = "id: 2\ndata: b\n\n"},
                       {.status = 204}}};
        EventSource events(server.client(), "http://a.example/", {.last_event_id = "0"});
        std::string all;
        while (auto event = co_await require(events.next())) all += event->id + event->data + " ";
        EXPECT_EQ(all, "1a 2b ");
        EXPECT_EQ(server.last_ids, (std::vector<std::string>{"0", "1", "1", "2"}));
        EXPECT_GE(server.at[1] - server.at[0], 1s);
        EXPECT_LE(server.at[1] - server.at[0], 2001ms);
        EXPECT_GE(server.at[2] - server.at[1], 2s);  // twice as long after one that failed
        EXPECT_FALSE(co_await require(events.next()));
        EXPECT_EQ(server.at.size(), 4u);
        co_return {};
    });
}

BENNU_SIM_TEST(EventSource, gives_up_when_it_is_refused_or_fails_too_often, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Server login{{{.body = "<p>Log in", .type = "text/html"}}};
        EventSource refused(login.client(), "http://a.example/");
        EXPECT_EQ((co_await refused.next()).error().code(), "sse_refused");
        Server missing{{{.status = 404}}};
        EventSource none(missing.client(), "http://a.example/");
        EXPECT_EQ((co_await none.next()).error().code(), "sse_refused");
        Server gone{{{.body = "data: a\n\n"}}};
        EventSource events(gone.client(), "http://a.example/", {.attempts = 4});
        EXPECT_EQ((co_await require(events.next()))->data, "a");
        EXPECT_EQ((co_await events.next()).error().code(), "not_reachable");
        EXPECT_EQ(gone.at.size(), 4u);
        Server long_one{{{.body = "data: " + std::string(2000, 'x')}}};
        EventSource bounded(long_one.client(), "http://a.example/", {.most = 1000});
        EXPECT_EQ((co_await bounded.next()).error().code(), "event_too_large");
        co_return {};
    });
}

BENNU_SIM_TEST(EventSource, a_silent_server_is_left_for_a_new_connection, sim) {
    finishes(sim, []() -> Task<Result<>> {
        int connections = 0;
        HttpClient client(stub_transport([&](ClientRequest) -> Task<Result<ClientResponse>> {
            ClientResponse answer{.status = 200};
            answer.headers.set("content-type", "text/event-stream");
            answer.stream = ClientBody(piece_source(
                [said = false,
                 number = ++connections]() mutable -> Task<Result<std::optional<std::string>>> {
                    if (std::exchange(said, true)) co_await sleep(1h);
                    co_return std::optional<std::string>("data: " + std::to_string(number) +
                                                         "\n\n");
                }));
            co_return answer;
        }));
        EventSource events(client, "http://a.example/");
        const Instant begun = now();
        EXPECT_EQ((co_await require(events.next()))->data, "1");
        EXPECT_EQ((co_await require(events.next()))->data, "2");
        EXPECT_GE(now() - begun, 60s);
        EXPECT_LE(now() - begun, 64s);
        co_return {};
    });
}

}  // namespace bennu::net::event_source_test
