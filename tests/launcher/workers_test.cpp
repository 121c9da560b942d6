// Several nodes serve side by side on one socket, with a hub between them.
#include <signal.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "tests/launcher/program.hpp"

namespace launcher_test {

class Workers : public App {
  protected:
    void start_workers(int count) { start({"WORKERS=" + std::to_string(count)}); }

    /// The launcher's children of that name.
    std::set<pid_t> children(const std::string& name) const {
        std::set<pid_t> found;
        for (const auto& entry : fs::directory_iterator("/proc")) {
            if (content(entry.path() / "comm") != name + "\n") continue;
            const std::string stat = content(entry.path() / "stat");
            std::istringstream after(stat.substr(stat.rfind(')') + 1));
            std::string state;
            pid_t parent = 0;
            after >> state >> parent;
            if (parent == launcher_ && state != "Z")
                found.insert(std::stoi(entry.path().filename()));
        }
        return found;
    }

    /// The nodes, once there are so many.
    std::set<pid_t> nodes(std::size_t count) {
        EXPECT_TRUE(eventually([&] { return children("app-node").size() == count; }));
        return children("app-node");
    }

    /// Whether so many nodes come to answer as expected. Which of them answers is the kernel's
    /// choice: many who ask at once reach them all.
    bool all_answer(const std::string& path, std::size_t count,
                    const std::function<bool(const std::string& body)>& expected, int seconds = 3) {
        std::mutex mutex;
        std::set<std::string> agreed;
        Clients clients;
        for (int i = 0; i < 12; ++i) {
            clients.start([&] {
                const Reply reply = get(port_, path);
                if (!reply.ok() || !expected(reply.body)) return;
                const std::lock_guard lock(mutex);
                agreed.insert(reply.body.substr(0, reply.body.find(' ')));
            });
        }
        return eventually(
            [&] {
                const std::lock_guard lock(mutex);
                return agreed.size() >= count;
            },
            seconds);
    }
    bool all_heard(const std::string& word, std::size_t count) {
        return all_answer("/heard", count,
                          [&](const std::string& body) { return body.contains(" " + word + " "); });
    }

    /// Lets people enter until some are on each of so many nodes; by the node's process.
    std::map<pid_t, std::set<std::string>> fill(std::size_t count) {
        std::mutex mutex;
        std::map<pid_t, std::set<std::string>> people;
        std::atomic<int> last = 0;
        Clients clients;
        for (int i = 0; i < 12; ++i) {
            clients.start([&] {
                const std::string name = "person" + std::to_string(++last);
                const Reply reply = get(port_, "/enter/" + name);
                if (!reply.ok()) return;
                const std::lock_guard lock(mutex);
                people[std::stoi(reply.body)].insert(name);
            });
        }
        EXPECT_TRUE(eventually([&] {
            const std::lock_guard lock(mutex);
            return people.size() == count;
        }));
        clients.stop();
        return people;
    }
    /// Whether so many nodes come to show exactly these people.
    bool all_show(const std::map<pid_t, std::set<std::string>>& people, std::size_t count,
                  int seconds) {
        std::set<std::string> names;
        for (const auto& [node, there] : people) names.insert(there.begin(), there.end());
        return all_answer(
            "/present", count,
            [&](const std::string& body) {
                std::istringstream words(body);
                std::string pid;
                words >> pid;
                std::set<std::string> shown;
                for (std::string name; words >> name;) shown.insert(name);
                return shown == names;
            },
            seconds);
    }

    /// At most once: what is said while some are not connected is lost, so it is said until it is
    /// not.
    bool all_hear_soon(const std::string& what, std::size_t count) {
        int round = 0;
        return eventually([&] {
            const std::string word = what + std::to_string(++round);
            EXPECT_TRUE(get(port_, "/say/" + word).ok());
            return all_heard(word, count);
        });
    }

    pid_t hub() const {
        const std::set<pid_t> found = children("app-hub");
        return found.empty() ? 0 : *found.begin();
    }
};

TEST_F(Workers, one_that_is_killed_takes_nobody_along) {
    install("first");
    start_workers(3);
    const std::set<pid_t> before = nodes(3);
    const pid_t victim = *before.begin();
    ::kill(victim, SIGKILL);
    EXPECT_TRUE(eventually([&] {
        EXPECT_NE(get(port_, "/node").kind, Reply::Kind::refused);
        const std::set<pid_t> now = children("app-node");
        return now.size() == 3 && !now.contains(victim);
    }));
    const std::set<pid_t> after = nodes(3);
    for (pid_t pid : before) {
        if (pid != victim) EXPECT_TRUE(after.contains(pid)) << pid;
    }
    EXPECT_EQ(reports().size(), 1U);
}

TEST_F(Workers, hear_what_is_published_on_any_of_them_also_after_their_hub_was_killed) {
    install("first");
    start_workers(3);
    nodes(3);
    EXPECT_TRUE(all_hear_soon("one", 3));
    const pid_t killed = hub();
    ASSERT_GT(killed, 0);
    ::kill(killed, SIGKILL);
    ASSERT_TRUE(eventually([&] { return hub() > 0 && hub() != killed; }));
    EXPECT_TRUE(all_hear_soon("again", 3));
}

TEST_F(Workers, see_who_is_on_each_of_them_until_one_is_killed) {
    install("first");
    start_workers(2);
    nodes(2);
    auto people = fill(2);
    ASSERT_EQ(people.size(), 2U);
    EXPECT_TRUE(all_show(people, 2, 20));
    // The hub says at once who is gone; silence would be noticed after 30 s.
    const pid_t victim = people.begin()->first;
    ::kill(victim, SIGKILL);
    people.erase(people.begin());
    EXPECT_TRUE(all_show(people, 1, 20));
    ASSERT_TRUE(eventually([&] { return nodes(2).size() == 2 && !nodes(2).contains(victim); }));
    // The one that took its place is told.
    EXPECT_TRUE(all_show(people, 2, 20));
    // A new hub is another way to lose messages.
    const pid_t killed = hub();
    ::kill(killed, SIGKILL);
    ASSERT_TRUE(eventually([&] { return hub() > 0 && hub() != killed; }));
    for (auto& [node, names] : fill(2)) people[node].insert(names.begin(), names.end());
    EXPECT_TRUE(all_show(people, 2, 20));
}

TEST_F(Workers, are_upgraded_together_and_refuse_nobody) {
    install("first");
    start_workers(3);
    std::array<std::atomic<int>, 5> kinds{};
    Clients clients;
    for (int i = 0; i < 8; ++i) {
        clients.start([&] { ++kinds.at(static_cast<std::size_t>(get(port_, "/node").kind)); });
    }
    const std::set<pid_t> before = nodes(3);
    for (int round = 0; round < 3; ++round) {
        const int version = round % 2 == 0 ? 2 : 1;
        install(version == 2 ? "second" : "first");
        signal(SIGUSR2);
        ASSERT_TRUE(eventually([&] { return node().version == version; }, 30)) << log();
        ASSERT_TRUE(eventually(
            [&] {
                int other = 0;
                for (int i = 0; i < 20; ++i) other += node().version != version;
                return other == 0;
            },
            30));
    }
    ASSERT_TRUE(eventually([&] { return ::kill(*before.begin(), 0) != 0; }, 20));
    clients.stop();
    EXPECT_GT(kinds[static_cast<std::size_t>(Reply::Kind::answered)].load(), 100);
    for (auto kind :
         {Reply::Kind::refused, Reply::Kind::reset, Reply::Kind::closed, Reply::Kind::timed_out})
        EXPECT_EQ(kinds[static_cast<std::size_t>(kind)].load(), 0) << static_cast<int>(kind);
    EXPECT_TRUE(all_hear_soon("upgraded", 3));
}

TEST_F(Workers, a_program_that_does_not_become_ready_leaves_all_of_them_serving) {
    install("first");
    start_workers(2);
    const std::set<pid_t> before = nodes(2);
    install("silent");
    signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return log().contains("going back to the previous program"); }));
    EXPECT_EQ(nodes(2), before);
}

}  // namespace launcher_test
