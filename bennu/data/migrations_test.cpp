#include "bennu/data/migrations.hpp"

#include "bennu/base/log.hpp"
#include "bennu/data/shop_test.hpp"

namespace bennu::migrations_test {

using namespace shop;

struct Name {
    std::string name;
};
BENNU_RECORD(Name, name)

Task<std::string> tables(Repo repo) {
    std::string list;
    const auto rows = co_await repo.query(sql<Name>(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'trigger') ORDER BY name"));
    for (const Name& row : *rows) list += row.name + " ";
    co_return list;
}

TEST(Migrations, up_down_and_up_again_on_data) {  // proves 2.7
    with_repo([](Repo repo) -> Task<Result<>> {
        EXPECT_EQ(co_await tables(repo), "items items_log log notes owners schema_migrations ");
        EXPECT_EQ(co_await require(migrate(repo, migrations())), 0);
        co_await require(repo.insert(Owner{.name = "Ada"}));
        co_await require(repo.insert(Item{.tag = "A"}));
        co_await require(repo.insert(Item{.tag = "unlogged"}));
        EXPECT_EQ((co_await require(repo.query(sql<Name>("SELECT line AS name FROM log")))).size(),
                  1u);

        EXPECT_EQ(co_await require(rollback(repo, migrations(), 2)), 2);
        EXPECT_EQ(co_await tables(repo), "owners schema_migrations ");
        EXPECT_EQ(co_await require(repo.count(from<Owner>())), 1);
        const auto status = co_await require(migration_status(repo, migrations()));
        EXPECT_TRUE(status.at(0).applied);
        EXPECT_FALSE(status.at(1).applied);

        EXPECT_EQ(co_await require(migrate(repo, migrations())), 2);
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 0);
        EXPECT_EQ(co_await require(rollback(repo, migrations(), 99)), 3);
        EXPECT_EQ(co_await tables(repo), "schema_migrations ");
        EXPECT_EQ(co_await require(rollback(repo, migrations())), 0);
        co_return {};
    });
}

TEST(Migrations, a_broken_one_leaves_nothing_and_says_where) {
    with_repo([](Repo repo) -> Task<Result<>> {
        const Migration broken[] = {
            {20270101000000, "half", "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);", ""},
            {20270102000000, "later", "CREATE TABLE later (x);", ""}};
        const auto failed = co_await migrate(repo, broken);
        EXPECT_NE(failed.error().describe().find("20270101000000 half"), std::string::npos);
        EXPECT_EQ((co_await tables(repo)).find("half"), std::string::npos);
        EXPECT_EQ((co_await tables(repo)).find("later"), std::string::npos);
        co_return {};
    });
}

TEST(Migrations, what_this_program_does_not_know_is_told) {
    with_repo([](Repo repo) -> Task<Result<>> {
        LogCapture log;
        const auto some = migrations().first(2);
        EXPECT_EQ(co_await require(migrate(repo, some)), 0);
        EXPECT_TRUE(log.contains("does not know"));
        const auto status = co_await require(migration_status(repo, some));
        EXPECT_EQ(status.size(), 3u);
        EXPECT_FALSE(status.back().known);
        EXPECT_EQ((co_await rollback(repo, some)).error().code(), "irreversible_migration");
        const Migration twins[] = {{1, "a", "", ""}, {1, "b", "", ""}};
        EXPECT_EQ((co_await migrate(repo, twins)).error().code(), "duplicate_migration");
        co_return {};
    });
}

TEST(Migrations, two_programs_that_migrate_at_once_do_it_once) {
    const TempFolder folder;
    const int status = run({.shards = 1, .handle_signals = false}, [&]() -> Task<Result<>> {
        Repo first = co_await require(open_sqlite({.path = folder.file("app.db")}));
        Repo second = co_await require(open_sqlite({.path = folder.file("app.db")}));
        int applied = 0;
        int running = 2;
        for (const Repo& repo : {first, second}) {
            spawn_task([repo, &applied, &running]() -> Task<> {
                const Result<int> count = co_await migrate(repo, migrations());
                EXPECT_TRUE(count) << count.error().describe();
                applied += *count;
                --running;
            });
        }
        while (running > 0) co_await sleep(std::chrono::milliseconds(1));
        EXPECT_EQ(applied, 3);
        co_await first.close();
        co_await second.close();
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

}  // namespace bennu::migrations_test
