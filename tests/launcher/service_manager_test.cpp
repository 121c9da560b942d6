// What the service manager hears, and what load balancers see.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "tests/launcher/program.hpp"

namespace launcher_test {

class Manager : public App {
  protected:
    void SetUp() override {
        App::SetUp();
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = folder_ / "notify";
        std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
        ASSERT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    }
    void TearDown() override {
        App::TearDown();
        ::close(socket_);
    }
    /// Waits for a message with this in it; yields the message.
    std::string hear(const std::string& what) {
        std::string heard;
        (void)eventually([&] {
            char buffer[512];
            ssize_t count = 0;
            while ((count = ::recv(socket_, buffer, sizeof(buffer), 0)) > 0) {
                heard.assign(buffer, static_cast<std::size_t>(count));
                if (heard.contains(what)) return true;
            }
            return false;
        });
        return heard;
    }
    /// All that has been said and not heard.
    std::string queued() {
        std::string all;
        char buffer[512];
        ssize_t count = 0;
        while ((count = ::recv(socket_, buffer, sizeof(buffer), 0)) > 0)
            all.append(buffer, static_cast<std::size_t>(count));
        return all;
    }
    int socket_ = -1;
};

TEST_F(Manager, hears_of_readiness_life_upgrades_and_the_end) {
    install("first");
    start({"NOTIFY_SOCKET=" + (folder_ / "notify").string(), "WATCHDOG_USEC=200000"});
    EXPECT_TRUE(hear("READY=1").contains("STATUS=serving"));
    EXPECT_EQ(hear("WATCHDOG=1"), "WATCHDOG=1");
    install("second");
    signal(SIGHUP);
    const std::string reloading = hear("RELOADING=1");
    EXPECT_TRUE(reloading.contains("MONOTONIC_USEC=")) << reloading;
    EXPECT_TRUE(hear("READY=1").contains("STATUS=serving"));
    EXPECT_EQ(node().version, 2);
    EXPECT_EQ(hear("WATCHDOG=1"), "WATCHDOG=1");
    install("refusing");
    signal(SIGHUP);
    EXPECT_TRUE(hear("RELOADING=1").contains("RELOADING=1"));
    EXPECT_TRUE(hear("READY=1").contains("no upgrade"));
    signal(SIGTERM);
    EXPECT_TRUE(hear("STOPPING=1").contains("STOPPING=1"));
}

TEST_F(Manager, does_not_hear_of_life_while_the_node_hangs) {
    install("first");
    start({"NOTIFY_SOCKET=" + (folder_ / "notify").string(), "WATCHDOG_USEC=100000"});
    EXPECT_EQ(hear("WATCHDOG=1"), "WATCHDOG=1");
    std::thread asking([&] { get(port_, "/hang"); });
    ASSERT_TRUE(eventually([&] { return log().contains("a shard hangs"); }));
    (void)queued();
    ::poll(nullptr, 0, 300);  // three times what the manager allows, and the node hangs for longer
    EXPECT_EQ(queued(), "");
    asking.join();
    EXPECT_EQ(hear("WATCHDOG=1"), "WATCHDOG=1");
}

TEST_F(Manager, load_balancers_see_the_end_coming) {
    install("first");
    start();
    EXPECT_EQ(get(port_, "/livez").status, 200);
    EXPECT_TRUE(eventually([&] { return get(port_, "/readyz").status == 200; }));
    signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return get(port_, "/readyz").status == 503; }));
    EXPECT_EQ(get(port_, "/livez").status, 200);
}

}  // namespace launcher_test
