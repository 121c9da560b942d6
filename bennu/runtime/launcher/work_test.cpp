#include "bennu/runtime/launcher/work.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "bennu/runtime/launcher/node_page.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/race.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/task.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu {
namespace {

std::string work_of(Pid pid) {
    const WorkLabel* label = WorkLabel::of(detail::Shard::current()->newest_work(), pid);
    return label ? label->key().text() : "";
}

BENNU_SIM_TEST(WorkLabels, tell_processes_apart_and_end_with_their_frames, options) {
    finishes(options, []() -> Task<Result<>> {
        static const WorkKey outer("GET /outer");
        static const WorkKey inner("GET /inner");
        static const WorkKey other("GET /other");
        Pid first = spawn_task([]() -> Task<> {
            WorkLabel label(outer);
            co_await sleep(std::chrono::seconds(1));
            {
                WorkLabel nested(inner);
                co_await sleep(std::chrono::seconds(1));
            }
            co_await sleep(std::chrono::seconds(10));
        });
        Pid second = spawn_task([]() -> Task<> {
            WorkLabel label(other);
            co_await sleep(std::chrono::seconds(10));
        });
        co_await sleep(std::chrono::milliseconds(500));
        EXPECT_EQ(work_of(first), "GET /outer");
        EXPECT_EQ(work_of(second), "GET /other");
        EXPECT_EQ(work_of(self()), "");
        co_await sleep(std::chrono::seconds(1));
        EXPECT_EQ(work_of(first), "GET /inner");
        co_await sleep(std::chrono::seconds(1));
        EXPECT_EQ(work_of(first), "GET /outer");
        kill(first);
        (void)co_await exit_of(first);
        EXPECT_EQ(work_of(first), "");
        EXPECT_EQ(work_of(second), "GET /other");
        co_return {};
    });
}

Task<int> wait_below() {
    co_await sleep(std::chrono::seconds(1));
    co_return 1;
}
Task<Result<int>> fail_above() {
    const int value = co_await wait_below();
    co_return value > 0 ? Result<int>(Error(ErrorKind::invalid, "no")) : Result<int>(value);
}
Task<Result<>> require_it() {
    (void)co_await require(fail_above());
    co_return {};
}

/// How many coroutines wait for each other in a process.
std::size_t depth_of(Pid pid) {
    const detail::Process* process = detail::Shard::current()->find(pid);
    std::size_t depth = 0;
    for (const auto* at = process ? process->root : nullptr; at; at = at->awaited) ++depth;
    return depth;
}

BENNU_SIM_TEST(AwaitChains, lead_from_the_root_to_whoever_waits_and_end_with_it, options) {
    finishes(options, []() -> Task<Result<>> {
        Pid pid = spawn_task([]() -> Task<> {
            (void)co_await require_it();  // four deep
            co_await sleep(std::chrono::seconds(1));
            (void)co_await contain(wait_below());
            co_await sleep(std::chrono::seconds(1));
            // Two below: `within`, and the task that will be late.
            (void)co_await within(wait_below(), std::chrono::milliseconds(700));
            co_await sleep(std::chrono::milliseconds(1300));
            (void)co_await race(wait_below(), wait_below());
            co_await sleep(std::chrono::seconds(1));
        });
        co_await sleep(std::chrono::milliseconds(500));
        EXPECT_EQ(depth_of(pid), 4U);
        co_await sleep(std::chrono::seconds(1));
        EXPECT_EQ(depth_of(pid), 1U);
        co_await sleep(std::chrono::seconds(1));
        EXPECT_EQ(depth_of(pid), 2U);
        co_await sleep(std::chrono::seconds(1));
        EXPECT_EQ(depth_of(pid), 1U);
        co_await sleep(std::chrono::seconds(1));
        EXPECT_EQ(depth_of(pid), 3U);
        co_await sleep(std::chrono::seconds(1));
        EXPECT_EQ(depth_of(pid), 1U);
        co_await sleep(std::chrono::seconds(1));
        EXPECT_LE(depth_of(pid), 2U);
        co_await sleep(std::chrono::seconds(1));
        EXPECT_EQ(depth_of(pid), 1U);
        co_return {};
    });
}

TEST(WorkKeys, are_the_same_in_every_build) {
    EXPECT_EQ(WorkKey("GET /assets/:id").hash(), WorkKey("GET /assets/:id").hash());
    EXPECT_NE(WorkKey("GET /a").hash(), WorkKey("GET /b").hash());
    EXPECT_EQ(WorkKey("a").hash(), 0xaf63dc4c8601ec8cU);  // FNV-1a's own test vector
    EXPECT_EQ(quarantined(WorkKey("GET /a")), std::nullopt);
}

TEST(NodePages, are_shared_and_known_by_their_version) {
    const int fd = make_node_page();
    ASSERT_GE(fd, 0);
    NodePage* one = map_node_page(fd);
    NodePage* other = map_node_page(fd);
    ASSERT_TRUE(one && other);
    const std::string text = "GET /a/path/that/is/too/long/for/the/room/that/a/slot/has/for/text";
    one->crashed.text.set(text);
    EXPECT_EQ(other->crashed.text.get(), text.substr(0, 55));
    one->crashed.text.set("short");
    EXPECT_EQ(other->crashed.text.get(), "short");
    one->version.store(NodePage::current_version + 1);
    EXPECT_EQ(map_node_page(fd), nullptr);
    EXPECT_EQ(map_node_page(-1), nullptr);
    unmap_node_page(one);
    unmap_node_page(other);
    ::close(fd);
}

}  // namespace
}  // namespace bennu
