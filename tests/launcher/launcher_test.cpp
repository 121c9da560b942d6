// The launcher with a real node under it: what clients see when the node, or the launcher, is
// killed.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/launcher/program.hpp"

namespace launcher_test {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Sends a command; yields the answer, "refused", or "" when the connection was cut or nothing came
/// within 10 s.
std::string ask(std::uint16_t port, std::string_view command) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(port);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        ::close(fd);
        return "refused";
    }
    ::send(fd, command.data(), command.size(), MSG_NOSIGNAL);
    pollfd wait{fd, POLLIN, 0};
    std::array<char, 64> buffer{};
    ssize_t count = ::poll(&wait, 1, 10'000) > 0 ? ::recv(fd, buffer.data(), buffer.size(), 0) : 0;
    ::close(fd);
    return std::string(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
}

class Launcher : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() /
                  ("launcher-test-" + std::to_string(::getpid()) + "-" + std::to_string(port_));
        fs::create_directories(folder_);
    }
    void TearDown() override {
        if (pid_ > 0) {
            ::kill(pid_, SIGTERM);
            ::waitpid(pid_, nullptr, 0);
        }
        fs::remove_all(folder_);
    }

    void start(bool fail = false) {
        pid_ = ::fork();
        if (pid_ == 0) {
            int log = ::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(log, STDERR_FILENO);
            ::execl(LAUNCHER_PROBE, LAUNCHER_PROBE, std::to_string(port_).c_str(),
                    crashes().c_str(), fail ? "fail" : nullptr, nullptr);
            ::_exit(127);
        }
    }
    std::string crashes() const { return (folder_ / "crashes").string(); }
    std::string log() const { return content(folder_ / "log"); }
    /// The node's pid, as soon as one answers.
    pid_t node() {
        for (int tries = 0; tries < 500; ++tries) {
            std::string answer = ask(port_, "pid");
            if (!answer.empty() && answer != "refused") return std::stoi(answer);
            ::poll(nullptr, 0, 10);
        }
        return 0;
    }
    /// Waits for the launcher to end.
    int status() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return status;
    }

    std::uint16_t port_ = unused_port();
    fs::path folder_;
    pid_t pid_ = -1;
};

TEST_F(Launcher, a_killed_node_is_back_and_nobody_is_refused) {
    start();
    pid_t before = node();
    ASSERT_GT(before, 0);
    ::kill(before, SIGKILL);
    int refused = 0;
    pid_t after = before;
    for (int i = 0; i < 100 && after == before; ++i) {
        std::string answer = ask(port_, "pid");
        if (answer == "refused") ++refused;
        if (!answer.empty() && answer != "refused") after = std::stoi(answer);
    }
    EXPECT_NE(after, before);
    EXPECT_EQ(refused, 0);
    ASSERT_FALSE(fs::is_empty(crashes()));
    EXPECT_NE(content(*fs::directory_iterator(crashes())).find("signal 9 (KILL)"),
              std::string::npos);
}

TEST_F(Launcher, a_crash_report_says_where) {
    start();
    pid_t before = node();
    ASSERT_GT(before, 0);
    ask(port_, "segv");
    EXPECT_NE(node(), before);
    // Its addresses become names while the next node serves already.
    std::string report;
    for (int i = 0; i < 12'000 && !report.contains("serve"); ++i) {
        ::poll(nullptr, 0, 10);
        for (const auto& entry : fs::directory_iterator(crashes())) {
            if (entry.path().extension() == ".txt") report = content(entry.path());
        }
    }
    EXPECT_NE(report.find("signal 11 (SEGV)"), std::string::npos) << report;
    EXPECT_NE(report.find("stack\n"), std::string::npos) << report;
    EXPECT_NE(report.find("serve"), std::string::npos) << report;
}

TEST_F(Launcher, a_storm_of_crashes_backs_off_but_the_node_comes_back) {
    start();
    ASSERT_GT(node(), 0);
    for (int i = 0; i < 6; ++i) {
        pid_t before = node();
        ASSERT_GT(before, 0);
        ask(port_, "exit");
        EXPECT_NE(node(), before);
    }
    EXPECT_NE(log().find("waiting before the next start"), std::string::npos);
}

TEST_F(Launcher, stops_politely) {
    start();
    pid_t before = node();
    ASSERT_GT(before, 0);
    ::kill(pid_, SIGTERM);
    int ended = status();
    EXPECT_TRUE(WIFEXITED(ended));
    EXPECT_EQ(WEXITSTATUS(ended), 0);
    EXPECT_NE(::kill(before, 0), 0);
    EXPECT_EQ(ask(port_, "pid"), "refused");
}

TEST_F(Launcher, a_node_does_not_outlive_its_launcher) {
    start();
    ASSERT_GT(node(), 0);
    ::kill(pid_, SIGKILL);
    status();
    std::string answer;
    for (int i = 0; i < 500 && answer != "refused"; ++i) {
        answer = ask(port_, "pid");
        ::poll(nullptr, 0, 10);
    }
    EXPECT_EQ(answer, "refused");
}

TEST_F(Launcher, a_node_that_cannot_start_says_so_once) {
    start(true);
    int ended = status();
    EXPECT_TRUE(WIFEXITED(ended));
    EXPECT_EQ(WEXITSTATUS(ended), 78);
    EXPECT_EQ(log(), "the configuration is wrong\n");
}

TEST_F(Launcher, a_taken_port_is_named) {
    int other = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(port_);
    ASSERT_EQ(::bind(other, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::listen(other, 1), 0);
    start();
    EXPECT_EQ(WEXITSTATUS(status()), 1);
    EXPECT_NE(log().find("is in use by another program"), std::string::npos) << log();
    ::close(other);
}

}  // namespace launcher_test
