// The program is exchanged while clients ask.
#include <signal.h>

#include <array>
#include <atomic>

#include "tests/launcher/program.hpp"

namespace launcher_test {

class Upgrade : public App {};

TEST_F(Upgrade, ten_in_a_row_refuse_and_reset_nobody) {
    install("first");
    start();
    std::array<std::atomic<int>, 5> kinds{};
    std::atomic<int> wrong = 0;
    Clients clients;
    for (int i = 0; i < 16; ++i) {
        clients.start([&, i] {
            const Reply reply = get(port_, i < 2 ? "/slow" : "/node");
            ++kinds.at(static_cast<std::size_t>(reply.kind));
            if (reply.kind == Reply::Kind::answered && reply.status != 200) ++wrong;
        });
    }
    Node before = node();
    for (int round = 0; round < 10; ++round) {
        const bool even = round % 2 == 0;
        install(even ? "second" : "first");
        signal(even ? SIGHUP : SIGUSR2);
        const int version = even ? 2 : 1;
        ASSERT_TRUE(eventually([&] { return node().version == version; }, 20)) << round << log();
        // The next one may begin when the old node is gone.
        ASSERT_TRUE(eventually([&] { return ::kill(before.pid, 0) != 0; }, 20)) << round;
        before = node();
    }
    clients.stop();
    const auto count = [&](Reply::Kind kind) {
        return kinds.at(static_cast<std::size_t>(kind)).load();
    };
    std::printf("%d requests during 10 upgrades\n", count(Reply::Kind::answered));
    EXPECT_GT(count(Reply::Kind::answered), 500);
    EXPECT_EQ(count(Reply::Kind::refused), 0);
    EXPECT_EQ(count(Reply::Kind::reset), 0);
    EXPECT_EQ(count(Reply::Kind::closed), 0);
    EXPECT_EQ(count(Reply::Kind::timed_out), 0);
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(reports().size(), 0U);
    EXPECT_EQ(::kill(launcher_, 0), 0);  // the same process all the time
}

TEST_F(Upgrade, a_program_that_does_not_start_changes_nothing) {
    install("first");
    start();
    const Node before = node();
    install("refusing");
    signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return log().contains("no upgrade"); }));
    EXPECT_EQ(node(), before);
}

TEST_F(Upgrade, a_node_that_does_not_become_ready_leaves_the_old_one) {
    install("first");
    start();
    const Node before = node();
    install("silent");
    signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return log().contains("going back to the previous program"); }));
    EXPECT_EQ(node(), before);
    // The launcher is the old program again, though its file is gone: that is what it restarts.
    ::kill(before.pid, SIGKILL);
    EXPECT_EQ(node().version, 1);
    // A good program is welcome.
    install("second");
    signal(SIGUSR2);
    EXPECT_TRUE(eventually([&] { return node().version == 2; }));
}

TEST_F(Upgrade, a_program_that_crashes_again_and_again_is_undone) {
    install("first");
    start();
    install("fragile");
    signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return log().contains("the new program does not stay up"); }));
    EXPECT_TRUE(eventually([&] { return node().version == 1; }));
}

TEST_F(Upgrade, a_node_that_is_killed_meanwhile_is_no_loss) {
    install("first");
    start();
    const Node before = node();
    install("second");
    signal(SIGHUP);
    ::kill(before.pid, SIGKILL);
    EXPECT_TRUE(eventually([&] { return node().version == 2; }));
}

}  // namespace launcher_test
