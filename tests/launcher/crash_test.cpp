// What a crash leaves behind, and what it does to everybody else.
#include <poll.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include "tests/launcher/program.hpp"

namespace launcher_test {

class Crashes : public App {};

TEST_F(Crashes, the_report_names_the_request_and_the_coroutines_that_waited) {
    install("first");
    start();
    const Node before = node();
    EXPECT_EQ(get(port_, "/crash/nested").kind, Reply::Kind::closed);
    EXPECT_NE(node(), before);
    const std::string text = report();
    EXPECT_TRUE(text.contains("signal SEGV (11) at address 0x0")) << text;
    EXPECT_TRUE(text.contains("working on GET /crash/:how\n")) << text;
    EXPECT_TRUE(text.contains("in flight\n  shard ")) << text;
    EXPECT_TRUE(text.contains("process <")) << text;
    EXPECT_TRUE(text.contains("HttpConnection")) << text;
    const std::size_t build = text.find("\nbuild ");
    ASSERT_NE(build, std::string::npos);
    EXPECT_GE(text.find('\n', build + 1) - build, 8 + 16) << text;
    // Innermost first: the function that crashed, the action, the endpoint, the connection.
    const std::size_t awaits = text.find("\nawaits\n");
    const std::size_t inner = text.find("read_the_wrong_address", awaits);
    const std::size_t action = text.find("crash(Conn", awaits);
    const std::size_t endpoint = text.find("bennu/web/endpoint.cpp:", awaits);
    const std::size_t connection = text.find("bennu/net/http_", awaits);
    EXPECT_LT(awaits, inner) << text;
    EXPECT_LT(inner, action) << text;
    EXPECT_LT(action, endpoint) << text;
    EXPECT_LT(endpoint, connection) << text;
    EXPECT_LT(connection, text.find("\nstack\n")) << text;
}

TEST_F(Crashes, what_was_in_flight_is_known_even_of_a_killed_node) {
    install("first");
    start();
    const Node before = node();
    std::thread asking([&] { get(port_, "/wait"); });
    EXPECT_TRUE(eventually([&] { return get(port_, "/waiting").body == "1"; }));
    ::kill(before.pid, SIGKILL);
    asking.join();
    EXPECT_NE(node(), before);
    ASSERT_TRUE(eventually([&] { return !reports().empty(); }));
    EXPECT_TRUE(reports().front().contains(": GET /wait\n")) << reports().front();
}

TEST_F(Crashes, a_request_that_always_crashes_is_put_in_quarantine_and_others_are_served) {
    install("first");
    start();
    std::atomic<int> asked = 0;
    std::atomic<int> served = 0;
    Clients clients;
    for (int i = 0; i < 4; ++i) {
        clients.start([&] {
            ++asked;
            // In flight whenever it crashes, and innocent.
            if (get(port_, "/slow").ok()) ++served;
            for (int j = 0; j < 60; ++j) {
                ++asked;
                if (get(port_, "/node").ok()) ++served;
                ::poll(nullptr, 0, 5);
            }
        });
    }
    int cut = 0;
    int refused = 0;
    for (int second = 0; second < 6; ++second) {
        const Reply reply = get(port_, "/crash/again");
        if (reply.kind == Reply::Kind::closed || reply.kind == Reply::Kind::reset) ++cut;
        if (reply.status == 503) {
            ++refused;
            EXPECT_TRUE(reply.body.contains("quarantined")) << reply.body;
            EXPECT_TRUE(reply.head.contains("retry-after: ")) << reply.head;
        }
        ::poll(nullptr, 0, 1000);
    }
    clients.stop();
    EXPECT_EQ(cut, 2);
    EXPECT_EQ(refused, 4);
    const double available = 100.0 * served / asked;
    std::printf("%d of %d other requests served, %.2f %%\n", served.load(), asked.load(),
                available);
    EXPECT_GE(available, 99.0);
    EXPECT_TRUE(log().contains("in quarantine"));

    // An operator lets it out: it is served, and crashes, again.
    signal(SIGUSR1);
    EXPECT_TRUE(eventually([&] { return get(port_, "/crash/again").status != 503; }));
    EXPECT_GT(node().pid, 0);
}

}  // namespace launcher_test
