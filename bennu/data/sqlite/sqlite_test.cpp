#include "bennu/data/sqlite/sqlite.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "bennu/data/shop_test.hpp"
#include "bennu/data/sqlite/connection.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::sqlite_test {

using namespace shop;
using namespace std::chrono_literals;

/// Runs `count` processes that each await what `make(i)` returns, and waits for all of them.
template <typename F>
Task<> in_parallel(int count, F make) {
    int running = count;
    for (int i = 0; i < count; ++i) {
        spawn_task([&make, &running, i]() -> Task<> {
            co_await make(i);
            --running;
        });
    }
    while (running > 0) co_await sleep(1ms);
}

TEST(Sqlite, writes_that_wait_together_share_a_commit) {
    with_repo(
        [](Repo repo) -> Task<Result<>> {
            const data::EngineStats before = repo.stats();
            int waiting = 500;
            co_await require(repo.transaction([repo, &waiting](Tx tx) -> Task<Result<>> {
                // While this transaction has its turn, the others queue up.
                for (int i = 0; i < 500; ++i) {
                    spawn_task([repo, i, &waiting]() -> Task<> {
                        const auto done =
                            co_await repo.insert(Item{.tag = "T" + std::to_string(i)});
                        EXPECT_TRUE(done);
                        // Whoever was answered sees the row.
                        const auto same = from<Item>().where(col(&Item::id) == done->id);
                        EXPECT_TRUE(*co_await repo.exists(same));
                        --waiting;
                    });
                }
                co_await sleep(5ms);
                EXPECT_EQ(waiting, 500);
                co_await require(tx.insert(Item{.tag = "own"}));
                co_return {};
            }));
            while (waiting > 0) co_await sleep(1ms);
            EXPECT_EQ(repo.stats().units - before.units, 501u);
            EXPECT_EQ(repo.stats().commits - before.commits, 3u);  // 501 units in batches of 200
            co_return {};
        },
        {.batch_units = 200, .batch_time = 1h});
}

TEST(Sqlite, a_failing_unit_leaves_the_rest_of_its_batch_alone) {
    with_repo([](Repo repo) -> Task<Result<>> {
        int taken = 0;
        co_await in_parallel(300, [&taken, repo](int i) -> Task<> {
            const auto done = co_await repo.insert_all(std::vector<Item>{
                {.tag = "first" + std::to_string(i)}, {.tag = "T" + std::to_string(i % 100)}});
            if (!done) ++taken;
        });
        EXPECT_EQ(taken, 200);
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 200);
        co_return {};
    });
}

TEST(Sqlite, a_full_queue_is_an_error) {
    with_repo(
        [](Repo repo) -> Task<Result<>> {
            int refused = 0;
            co_await require(repo.transaction([&refused, repo](Tx tx) -> Task<Result<>> {
                // While this transaction has its turn, others queue up.
                for (int i = 0; i < 5; ++i) {
                    spawn_task([repo, i]() -> Task<> {
                        (void)co_await repo.insert(Item{.tag = "T" + std::to_string(i)});
                    });
                }
                co_await sleep(5ms);
                const auto sixth = co_await repo.insert(Item{.tag = "six"});
                if (!sixth && sixth.error().kind() == ErrorKind::overloaded) ++refused;
                co_await require(tx.insert(Item{.tag = "own"}));
                co_return {};
            }));
            EXPECT_EQ(refused, 1);
            EXPECT_GE(repo.stats().refused, 1u);
            while (co_await require(repo.count(from<Item>())) < 6) co_await sleep(1ms);
            co_return {};
        },
        {.queue_limit = 5});
}

TEST(Sqlite, a_call_that_waits_too_long_times_out_and_is_not_done) {
    with_repo(
        [](Repo repo) -> Task<Result<>> {
            co_await require(repo.transaction([repo](Tx tx) -> Task<Result<>> {
                const auto late = co_await repo.insert(Item{.tag = "late"});
                EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
                co_await require(tx.insert(Item{.tag = "own"}));
                co_return {};
            }));
            EXPECT_EQ(co_await require(repo.count(from<Item>())), 1);
            // A read that takes forever is interrupted, and its connection is good afterwards.
            const auto endless = co_await repo.query(
                sql<Item>("WITH RECURSIVE n(count) AS (SELECT 1 UNION ALL SELECT count + 1 FROM n) "
                          "SELECT max(count) AS count FROM n"));
            EXPECT_EQ(endless.error().kind(), ErrorKind::timeout);
            EXPECT_EQ(co_await require(repo.count(from<Item>())), 1);
            co_return {};
        },
        {.readers = 1, .timeout = 400ms});
}

TEST(Sqlite, a_full_disk_is_an_error_and_reading_goes_on) {
    with_repo(
        [](Repo repo) -> Task<Result<>> {
            const std::string big(100'000, 'x');
            int stored = 0;
            std::optional<Error> failure;
            for (int i = 0; i < 100 && !failure; ++i) {
                const auto done =
                    co_await repo.insert(Item{.tag = "T" + std::to_string(i), .name = big});
                if (done) {
                    ++stored;
                } else {
                    failure = done.error();
                }
            }
            EXPECT_EQ(failure->code(), "disk_full");
            EXPECT_EQ(failure->kind(), ErrorKind::unavailable);
            EXPECT_EQ(co_await require(repo.count(from<Item>())), stored);
            const auto broken = co_await repo.transaction([&big](Tx tx) -> Task<Result<>> {
                for (int i = 0; i < 100; ++i) {
                    co_await require(tx.insert(Item{.tag = "U" + std::to_string(i), .name = big}));
                }
                co_return {};
            });
            EXPECT_EQ(broken.error().code(), "disk_full");
            EXPECT_EQ(co_await require(repo.count(from<Item>())), stored);
            // Room again: writing works as before.
            co_await require(repo.remove_all(from<Item>()));
            co_await require(repo.insert(Item{.tag = "small"}));
            co_return {};
        },
        {.max_pages = 200});
}

/// Fills a file system of one megabyte; the exit status says what went wrong.
int fill_small_disk(const std::string& folder) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) ||
        ::mount("none", folder.c_str(), "tmpfs", 0, "size=1m") != 0) {
        return 77;
    }
    int wrong = 0;
    const int status = run({.shards = 1, .handle_signals = false}, [&]() -> Task<Result<>> {
        Repo repo = co_await require(open_sqlite({.path = folder + "/app.db"}));
        co_await require(migrate(repo, migrations()));
        int stored = 0;
        int refused = 0;
        co_await in_parallel(16, [&, repo](int writer) -> Task<> {
            for (int i = 0; i < 50; ++i) {
                const std::string tag = std::to_string(writer) + "-" + std::to_string(i);
                const auto done =
                    co_await repo.insert(Item{.tag = tag, .name = std::string(5000, 'x')});
                done ? ++stored : ++refused;
                if (!done && done.error().code() != "disk_full") wrong |= 1;
            }
        });
        if (refused == 0 || stored == 0) wrong |= 2;
        if (co_await require(repo.count(from<Item>())) != stored) wrong |= 4;
        co_return {};
    });
    return wrong | (status == 0 ? 0 : 8);
}

TEST(Sqlite, a_disk_that_fills_up_fails_whole_batches_and_loses_none_that_succeeded) {
    const TempFolder folder;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(fill_small_disk(folder.file("")));
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "mounting a small disk needs root";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Sqlite, a_closed_database_says_so) {
    with_repo([](Repo repo) -> Task<Result<>> {
        co_await repo.close();
        EXPECT_EQ((co_await repo.insert(Item{.tag = "A"})).error().kind(), ErrorKind::closed);
        EXPECT_EQ((co_await repo.count(from<Item>())).error().kind(), ErrorKind::closed);
        co_return {};
    });
}

TEST(Sqlite, a_file_that_cannot_be_opened_is_an_error) {
    const TempFolder folder;
    const int status = run({.shards = 1, .handle_signals = false}, [&]() -> Task<Result<>> {
        const auto missing = co_await open_sqlite({.path = "/proc/nothing/app.db"});
        EXPECT_EQ(missing.error().code(), "storage_failed");
        std::FILE* junk = std::fopen(folder.file("junk.db").c_str(), "w");
        for (int i = 0; i < 2000; ++i) std::fputs("not a database ", junk);
        std::fclose(junk);
        const auto corrupt = co_await open_sqlite({.path = folder.file("junk.db")});
        EXPECT_EQ(corrupt.error().code(), "corrupt_database");
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

TEST(Sqlite, MultiShard_uses_the_same_repo) {
    const int status = run({.shards = 2, .handle_signals = false}, []() -> Task<Result<>> {
        Repo repo = co_await require(open_sqlite({}));
        co_await require(migrate(repo, migrations()));
        std::atomic<int> running = 2;
        for (std::uint8_t shard = 0; shard < 2; ++shard) {
            post(shard, [repo, shard, &running] {
                spawn_task([repo, shard, &running]() -> Task<> {
                    for (int i = 0; i < 50; ++i) {
                        const std::string tag = std::to_string(shard) + "-" + std::to_string(i);
                        EXPECT_TRUE(co_await repo.insert(Item{.tag = tag}));
                    }
                    --running;
                });
            });
        }
        while (running > 0) co_await sleep(1ms);
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 100);
        co_await repo.close();
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

/// Writes rows from many processes at once and tells each one that was acknowledged to the pipe.
void write_until_killed(const std::string& path, int pipe) {
    (void)run({.shards = 1, .handle_signals = false}, [&]() -> Task<Result<>> {
        Repo repo = co_await require(open_sqlite({.path = path}));
        co_await require(migrate(repo, migrations()));
        co_await in_parallel(32, [repo, pipe](int writer) -> Task<> {
            for (std::int32_t i = 0;; ++i) {
                const std::int32_t number = writer * 1'000'000 + i;
                const auto done = co_await repo.insert(Item{.tag = std::to_string(number)});
                if (!done || ::write(pipe, &number, sizeof number) != sizeof number) co_return;
            }
        });
        co_return Result<>();
    });
}

TEST(Sqlite, kill_9_loses_nothing_that_was_acknowledged) {
    const TempFolder folder;
    std::vector<std::int32_t> acknowledged;
    for (int round = 0; round < 3; ++round) {
        const std::string path = folder.file("app" + std::to_string(round) + ".db");
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(ends[0]);
            write_until_killed(path, ends[1]);
            ::_exit(0);
        }
        ::close(ends[1]);
        acknowledged.clear();
        std::int32_t number = 0;
        const std::size_t enough = 500 + static_cast<std::size_t>(round) * 300;
        while (acknowledged.size() < enough && ::read(ends[0], &number, 4) == 4) {
            acknowledged.push_back(number);
        }
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        while (::read(ends[0], &number, 4) == 4) acknowledged.push_back(number);
        ::waitpid(child, nullptr, 0);
        ::close(ends[0]);
        ASSERT_GE(acknowledged.size(), enough);

        auto connection = data::SqliteConnection::open({.path = path});
        ASSERT_TRUE(connection);
        data::RowBuffer rows = data::RowBuffer::of<Item>();
        ASSERT_TRUE((*connection)->run({.sql = "SELECT tag FROM items", .params = {}}, rows));
        std::set<std::string> stored;
        for (const Item& item : rows.take<Item>()) stored.insert(item.tag);
        std::size_t lost = 0;
        for (std::int32_t each : acknowledged) lost += stored.count(std::to_string(each)) == 0;
        EXPECT_EQ(lost, 0u) << "of " << acknowledged.size() << " acknowledged";
        // At most what was in flight may be there without having been acknowledged.
        EXPECT_LE(stored.size(), acknowledged.size() + 32);
    }
}

BENNU_SIM_TEST(SqliteSimulation, a_repo_works_under_every_schedule, options) {
    const SimOutcome outcome = simulate(options, []() -> Task<Result<>> {
        Repo repo = co_await require(open_sqlite({.batch_time = 1h}));
        co_await require(migrate(repo, migrations()));
        const Item counter = co_await require(repo.insert(Item{.tag = "counter"}));
        co_await in_parallel(10, [repo, id = counter.id](int i) -> Task<> {
            co_await sleep(std::chrono::milliseconds(random().below(5)));
            const auto done = co_await repo.transaction([id, i](Tx tx) -> Task<Result<>> {
                Item item = co_await require(tx.get<Item>(id));
                co_await sleep(std::chrono::milliseconds(random().below(5)));
                ++item.count;
                co_await require(tx.update(item));
                if (i % 3 == 0) co_return Error(ErrorKind::conflict, "no");
                co_return {};
            });
            EXPECT_EQ(done.has_value(), i % 3 != 0);
        });
        EXPECT_EQ((co_await require(repo.get<Item>(counter.id))).count, 1 + 6);
        co_await repo.close();
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

}  // namespace bennu::sqlite_test
