// Nodes that do not get on, and such that only seem so.
#include <poll.h>
#include <signal.h>

#include <thread>

#include "tests/launcher/program.hpp"

namespace launcher_test {

class Hangs : public App {};

TEST_F(Hangs, a_handler_that_blocks_for_ever_costs_its_node_and_is_named) {
    install("first");
    start();
    const Node before = node();
    std::thread asking([&] { get(port_, "/hang"); });
    ASSERT_TRUE(eventually([&] { return !reports().empty(); }));
    asking.join();
    EXPECT_NE(node(), before);
    const std::string text = report();
    EXPECT_TRUE(text.contains("signal ABRT")) << text;
    EXPECT_TRUE(text.contains("was in one turn for 1")) << text;
    EXPECT_TRUE(text.contains("working on GET /hang\n")) << text;
    EXPECT_TRUE(text.contains("wait_for_what_never_comes")) << text;
    EXPECT_TRUE(log().contains("a shard hangs"));
}

TEST_F(Hangs, a_node_that_was_stopped_goes_on) {
    install("first");
    start();
    const Node before = node();
    ::kill(before.pid, SIGSTOP);
    ::poll(nullptr, 0, 3000);  // twice as long as kills one that hangs
    ::kill(before.pid, SIGCONT);
    EXPECT_EQ(node(), before);
    ::poll(nullptr, 0, 500);
    EXPECT_EQ(node(), before);
    EXPECT_EQ(reports().size(), 0U);
}

TEST_F(Hangs, a_launcher_that_was_stopped_does_not_blame_its_node) {
    install("first");
    start();
    const Node before = node();
    ::kill(before.pid, SIGSTOP);
    signal(SIGSTOP);
    ::poll(nullptr, 0, 2000);
    signal(SIGCONT);
    ::kill(before.pid, SIGCONT);
    EXPECT_EQ(node(), before);
    EXPECT_EQ(reports().size(), 0U);
}

}  // namespace launcher_test
