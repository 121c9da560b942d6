#include "bennu/base/events.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "bennu/base/log.hpp"

namespace bennu {
namespace events_tests {

constinit EventName request_stop{"http.request.stop"};
constinit EventName request_start{"http.request.start"};
constinit EventName query_done{"db.query"};

TEST(Events, ReachWhoListens) {
    std::vector<std::string> heard;
    emit(request_stop, {{"duration", 1}});
    {
        const Subscription exact =
            subscribe_events("http.request.stop", [&](const EventView& event) {
                heard.push_back("exact " + to_string(event.measurements[0].value));
            });
        const Subscription family = subscribe_events("http.*", [&](const EventView& event) {
            heard.push_back("family " + std::string(event.name));
        });
        const Subscription all = subscribe_events("*", [&](const EventView& event) {
            heard.push_back("all " + std::string(event.name));
        });
        emit(request_stop, {{"duration", 2}}, {{"path", "/"}});
        emit(request_start);
        emit(query_done);
    }
    emit(request_stop, {{"duration", 3}});
    EXPECT_EQ(heard, (std::vector<std::string>{"exact 2", "family http.request.stop",
                                               "all http.request.stop", "family http.request.start",
                                               "all http.request.start", "all db.query"}));
}

TEST(Events, SayWhetherSomebodyListens) {
    emit(query_done);
    EXPECT_FALSE(query_done.heard());
    {
        const Subscription all = subscribe_events("db.*", [](const EventView&) {});
        emit(query_done);
        EXPECT_TRUE(query_done.heard());
    }
    emit(query_done);
    EXPECT_FALSE(query_done.heard());
}

TEST(Events, AFailingSubscriberHurtsNobody) {
    LogCapture log;
    int heard = 0;
    const Subscription bad = subscribe_events(
        "db.query", [](const EventView&) { throw std::runtime_error("subscriber broke"); });
    const Subscription good = subscribe_events("db.query", [&](const EventView&) { ++heard; });
    emit(query_done);
    EXPECT_EQ(heard, 1);
    EXPECT_TRUE(log.contains("subscriber broke"));
}

TEST(Events, AHandlerMayEndItsOwnSubscription) {
    int heard = 0;
    Subscription once;
    once = subscribe_events("db.query", [&](const EventView&) {
        ++heard;
        const Subscription ended = std::move(once);
    });
    emit(query_done);
    emit(query_done);
    EXPECT_EQ(heard, 1);
}

TEST(Events, UnsubscribingWaitsForOtherThreads) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> emitters;
    for (int i = 0; i < 2; ++i) {
        emitters.emplace_back([&] {
            while (!stop) emit(query_done);
        });
    }
    for (int i = 0; i < 300; ++i) {
        auto alive = std::make_unique<std::atomic<int>>(1);
        Subscription subscription = subscribe_events(
            "db.query", [counter = alive.get()](const EventView&) { counter->fetch_add(1); });
        while (*alive < 2) std::this_thread::yield();
        subscription = Subscription();
        alive.reset();  // a handler that still ran would now touch freed memory
    }
    stop = true;
    for (std::thread& emitter : emitters) emitter.join();
}

}  // namespace events_tests
}  // namespace bennu
