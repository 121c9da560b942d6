#include "bennu/data/shop_test.hpp"

namespace bennu::transaction_test {

using namespace shop;
using namespace std::chrono_literals;

Task<std::int64_t> items_in(Repo repo) {
    Result<std::int64_t> count = co_await repo.count(from<Item>());
    co_return count ? *count : -1;
}

TEST(Transaction, commits_what_succeeded_and_undoes_what_failed) {  // proves 2.6
    with_repo([](Repo repo) -> Task<Result<>> {
        const int answer = co_await require(repo.transaction([](Tx tx) -> Task<Result<int>> {
            co_await require(tx.insert(Item{.tag = "A"}));
            EXPECT_EQ(co_await items_in(tx), 1);
            EXPECT_TRUE(tx.in_transaction());
            co_return 42;
        }));
        EXPECT_EQ(answer, 42);

        const auto failed = co_await repo.transaction([&](Tx tx) -> Task<Result<>> {
            co_await require(tx.insert(Item{.tag = "B"}));
            // Others see nothing of it yet.
            EXPECT_EQ(co_await items_in(repo), 1);
            co_await require(tx.insert(Item{.tag = "A"}));
            ADD_FAILURE() << "the tag was taken";
            co_return {};
        });
        EXPECT_EQ(failed.error().fields().at(0).code, "taken");
        EXPECT_EQ(co_await items_in(repo), 1);
        co_return {};
    });
}

TEST(Transaction, a_fault_undoes_it) {
    with_repo([](Repo repo) -> Task<Result<>> {
        const Pid crashing = spawn_task([repo]() -> Task<> {
            (void)co_await repo.transaction([](Tx tx) -> Task<Result<>> {
                co_await require(tx.insert(Item{.tag = "A"}));
                throw std::runtime_error("boom");
            });
        });
        const auto reason = co_await exit_of(crashing);
        EXPECT_EQ(reason->kind(), ExitReason::Kind::fault);
        // The writer is free again.
        co_await require(repo.insert(Item{.tag = "A"}));
        EXPECT_EQ(co_await items_in(repo), 1);
        co_return {};
    });
}

TEST(Transaction, cancellation_undoes_it) {
    with_repo([](Repo repo) -> Task<Result<>> {
        bool inserted = false;
        const Pid process = spawn_task([repo, &inserted]() -> Task<> {
            (void)co_await repo.transaction([&inserted](Tx tx) -> Task<Result<>> {
                co_await require(tx.insert(Item{.tag = "A"}));
                inserted = true;
                co_await sleep(1h);
                co_return {};
            });
        });
        while (!inserted) co_await sleep(1ms);
        kill(process);
        co_await require(repo.insert(Item{.tag = "A"}));
        EXPECT_EQ(co_await items_in(repo), 1);

        // One that still waits for its turn leaves nothing behind either.
        (void)co_await repo.transaction([repo](Tx tx) -> Task<Result<>> {
            const Pid waiting = spawn_task([repo]() -> Task<> {
                (void)co_await repo.transaction([](Tx inner) -> Task<Result<>> {
                    co_await require(inner.insert(Item{.tag = "never"}));
                    co_return {};
                });
            });
            co_await require(tx.insert(Item{.tag = "B"}));
            kill(waiting);
            co_return {};
        });
        co_await require(repo.insert(Item{.tag = "C"}));
        EXPECT_EQ(co_await items_in(repo), 3);
        co_return {};
    });
}

TEST(Transaction, its_deadline_frees_the_writer) {
    with_repo([](Repo repo) -> Task<Result<>> {
        const auto late = co_await repo.transaction(
            [repo](Tx tx) -> Task<Result<>> {
                co_await require(tx.insert(Item{.tag = "A"}));
                // Waits until the transaction is over.
                co_await require(repo.insert(Item{.tag = "A"}));
                co_return co_await tx.remove(Item{.tag = "A"});
            },
            {.deadline = 100ms});
        EXPECT_EQ(late.error().code(), "transaction_over");
        EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
        EXPECT_EQ(co_await items_in(repo), 1);
        co_return {};
    });
}

TEST(Transaction, nested_ones_are_savepoints) {
    with_repo([](Repo repo) -> Task<Result<>> {
        co_await require(repo.transaction([](Tx tx) -> Task<Result<>> {
            co_await require(tx.insert(Item{.tag = "outer"}));
            const auto inner = co_await tx.transaction([](Tx nested) -> Task<Result<>> {
                co_await require(nested.insert(Item{.tag = "inner"}));
                co_await require(nested.transaction([](Tx deeper) -> Task<Result<>> {
                    co_await require(deeper.insert(Item{.tag = "deeper"}));
                    co_return {};
                }));
                co_return Error(ErrorKind::conflict, "changed_my_mind");
            });
            EXPECT_EQ(inner.error().code(), "changed_my_mind");
            EXPECT_EQ(co_await items_in(tx), 1);
            co_await require(tx.transaction([](Tx nested) -> Task<Result<>> {
                co_await require(nested.insert_all(std::vector<Item>{{.tag = "x"}, {.tag = "y"}}));
                co_return {};
            }));
            co_return {};
        }));
        EXPECT_EQ(co_await items_in(repo), 3);
        co_return {};
    });
}

TEST(Transaction, many_take_turns) {
    with_repo(
        [](Repo repo) -> Task<Result<>> {
            const Item counter = co_await require(repo.insert(Item{.tag = "counter"}));
            int running = 50, asked = 0;
            for (int i = 0; i < 50; ++i) {
                spawn_task([repo, id = counter.id, &running, &asked]() -> Task<> {
                    ++asked;
                    const auto done =
                        co_await repo.transaction([id, &asked](Tx tx) -> Task<Result<>> {
                            // The first one lets all others come and wait.
                            while (asked < 50) co_await sleep(1ms);
                            Item item = co_await require(tx.get<Item>(id));
                            ++item.count;
                            co_await require(tx.update(item));
                            co_return {};
                        });
                    EXPECT_TRUE(done);
                    --running;
                });
            }
            while (running > 0) co_await sleep(1ms);
            EXPECT_EQ((co_await require(repo.get<Item>(counter.id))).count, 51);
            // Transactions that wait for each other are committed together.
            EXPECT_LT(repo.stats().commits, 40u);
            co_return {};
        },
        {.batch_time = 1h});
}

TEST(Transaction, a_deferred_foreign_key_fails_its_own_unit_only) {
    with_repo([](Repo repo) -> Task<Result<>> {
        co_await require(repo.execute_script(
            "CREATE TABLE late (id INTEGER PRIMARY KEY, owner TEXT REFERENCES owners(id) "
            "DEFERRABLE INITIALLY DEFERRED)"));
        const auto broken = co_await repo.transaction([](Tx tx) -> Task<Result<>> {
            co_await require(tx.execute(sql("INSERT INTO late (owner) VALUES ('nobody')")));
            co_return {};
        });
        EXPECT_EQ(broken.error().code(), "foreign_key");
        EXPECT_FALSE(co_await repo.execute(sql("INSERT INTO late (owner) VALUES ('nobody')")));
        co_await require(repo.insert(Item{.tag = "A"}));
        co_return {};
    });
}

}  // namespace bennu::transaction_test
