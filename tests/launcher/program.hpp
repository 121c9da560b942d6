#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace launcher_test {

namespace fs = std::filesystem;

/// What came of one request on a connection of its own.
struct Reply {
    enum class Kind { answered, refused, reset, closed, timed_out };
    Kind kind = Kind::timed_out;
    int status = 0;
    std::string head;
    std::string body;
    bool ok() const { return kind == Kind::answered && status == 200; }
};

/// Asks 127.0.0.1:`port` with GET; waits at most 10 s.
Reply get(std::uint16_t port, const std::string& path);

/// One of the programs of app.cpp under a launcher, with a folder of its own where it can be
/// exchanged for another.
class App : public testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    /// Puts a program (`first`, `second`, …) where the launcher's stands.
    void install(const std::string& name);
    /// Starts what is installed and waits until it answers.
    void start(std::vector<std::string> environment = {});
    void signal(int signal) const;

    struct Node {
        pid_t pid = 0;
        int version = 0;
        bool operator==(const Node&) const = default;
    };
    /// Who answers; waits until somebody does.
    Node node() const;
    /// Waits for something that is going to be; false after `seconds`.
    static bool eventually(const std::function<bool()>& holds, int seconds = 60);
    std::string log() const;
    std::vector<std::string> reports() const;
    /// The one report, once its addresses have become names.
    std::string report() const;

    std::uint16_t port_ = 0;
    fs::path folder_;
    pid_t launcher_ = -1;
};

/// Threads that do something again and again until the end of the test.
class Clients {
  public:
    ~Clients() { stop(); }
    void start(std::function<void()> again);
    void stop();

  private:
    std::atomic<bool> done_ = false;
    std::vector<std::thread> threads_;
};

std::string content(const fs::path& path);

/// A port that nobody uses, and no other suite takes before this program ends.
std::uint16_t unused_port();

}  // namespace launcher_test
