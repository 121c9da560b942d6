#include "bennu/data/shop_test.hpp"

#include <stdlib.h>

namespace bennu::shop {

BENNU_DEFINE_SCHEMA(Owner, schema<Owner>("owners"))
BENNU_DEFINE_SCHEMA(Item, schema<Item>("items")
                              .unique("items_tag", &Item::tag)
                              .references(&Item::owner_id, "owners")
                              .check("items_count_positive", &Item::count, "must be positive",
                                     "out_of_range")
                              .timestamps(&Item::inserted_at, &Item::updated_at))
BENNU_DEFINE_SCHEMA(Note, schema<Note>("notes").tenant(&Note::tenant))

std::span<const Migration> migrations() {
    static const Migration list[] = {
        {20260101000000, "create_owners",
         "CREATE TABLE owners (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT;",
         "DROP TABLE owners;"},
        {20260102000000, "create_items", R"(
            -- Semicolons in text, comments; and triggers do not end a statement early.
            CREATE TABLE items (
                id TEXT PRIMARY KEY,
                tag TEXT NOT NULL,
                name TEXT NOT NULL DEFAULT 'a;b',
                status TEXT NOT NULL,
                cost INTEGER,
                count INTEGER NOT NULL CONSTRAINT items_count_positive CHECK (count > 0),
                owner_id TEXT REFERENCES owners(id),
                inserted_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL
            ) STRICT;
            CREATE UNIQUE INDEX items_tag ON items(tag);
            CREATE TABLE log (line TEXT) STRICT;
            CREATE TRIGGER items_log AFTER INSERT ON items BEGIN
                INSERT INTO log VALUES (new.tag);
                DELETE FROM log WHERE line = 'unlogged';
            END;)",
         "DROP TABLE items; DROP TABLE log;"},
        {20260103000000, "create_notes",
         "CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, text TEXT NOT NULL) "
         "STRICT;",
         "DROP TABLE notes;"},
    };
    return list;
}

TempFolder::TempFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "bennu-data-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
}
TempFolder::~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void with_repo(Body body, SqliteOptions options) {
    const int status = run({.shards = 1, .handle_signals = false}, [&]() -> Task<Result<>> {
        Repo repo = co_await require(open_sqlite(options));
        co_await require(migrate(repo, migrations()));
        Result<> done = co_await body(repo);
        EXPECT_TRUE(done) << done.error().describe();
        co_await repo.close();
        co_return Result<>();
    });
    EXPECT_EQ(status, 0);
}

}  // namespace bennu::shop
