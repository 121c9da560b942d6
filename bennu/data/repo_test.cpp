#include "bennu/data/repo.hpp"

#include <set>

#include "bennu/data/shop_test.hpp"

namespace bennu::repo_test {

using namespace shop;
using namespace std::chrono_literals;

std::string described(const Error& error) {
    std::string text = std::string(to_string(error.kind())) + ":";
    for (const FieldError& each : error.fields()) text += " " + each.field + "=" + each.code;
    return error.fields().empty() ? text + " " + std::string(error.code()) : text;
}

TEST(Repo, inserts_reads_updates_and_removes) {
    with_repo([](Repo repo) -> Task<Result<>> {
        const Item made = co_await require(
            repo.insert(Item{.tag = "LT-1", .name = "Laptop", .cost = Money{129'900}}));
        EXPECT_FALSE(made.id.is_nil());
        EXPECT_GT(made.inserted_at.ms, 0);
        Item found = co_await require(repo.get<Item>(made.id));
        EXPECT_TRUE(record_equal(found, made));

        found.name = "Notebook";
        found.count = 7;
        co_await require(repo.update(found, {&Item::name}));
        found = co_await require(repo.get<Item>(made.id));
        EXPECT_EQ(found.name, "Notebook");
        EXPECT_EQ(found.count, 1);

        EXPECT_TRUE(co_await require(repo.exists(from<Item>().where(col(&Item::tag) == "LT-1"))));
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 1);
        co_await require(repo.remove(found));
        EXPECT_FALSE(co_await require(repo.one(from<Item>())));
        EXPECT_EQ((co_await repo.remove(found)).error().kind(), ErrorKind::not_found);
        EXPECT_EQ((co_await repo.update(found)).error().kind(), ErrorKind::not_found);
        EXPECT_EQ((co_await repo.get<Item>(found.id)).error().kind(), ErrorKind::not_found);
        co_return {};
    });
}

TEST(Repo, many_rows_at_once) {
    with_repo([](Repo repo) -> Task<Result<>> {
        std::vector<Item> items;
        for (int i = 0; i < 1234; ++i)
            items.push_back({.tag = "T" + std::to_string(i), .count = i + 1});
        const auto made = co_await require(repo.insert_all(items));
        EXPECT_EQ(made.size(), 1234u);
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 1234);
        const auto last = co_await require(repo.get<Item>(made.back().id));
        EXPECT_EQ(last.tag, "T1233");

        EXPECT_EQ(co_await require(repo.update_all(
                      from<Item>().where(col(&Item::count) > 1000),
                      set(&Item::status, Status::retired).set(&Item::cost, Money{5}))),
                  234);
        EXPECT_EQ(co_await require(repo.remove_all(from<Item>().where(
                      col(&Item::status) == Status::retired && col(&Item::cost) == Money{5}))),
                  234);
        EXPECT_EQ(
            co_await require(repo.remove_all(from<Item>().order_by(asc(&Item::count)).limit(10))),
            10);
        EXPECT_EQ((co_await require(repo.one(from<Item>().order_by(asc(&Item::count)))))->count,
                  11);

        // All or none.
        std::vector<Item> clashing(300);
        for (int i = 0; i < 300; ++i) clashing[i].tag = "N" + std::to_string(i % 299);
        EXPECT_EQ(described((co_await repo.insert_all(clashing)).error()), "invalid: tag=taken");
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 990);
        co_return {};
    });
}

TEST(Repo, insert_each_keeps_the_good_rows_and_explains_the_bad) {
    with_repo([](Repo repo) -> Task<Result<>> {
        const auto outcomes = co_await require(repo.insert_each(std::vector<Item>{
            {.tag = "A"},
            {.tag = "A"},
            {.tag = "B", .count = 0},
            {.tag = "C", .owner_id = Id{{1}}},
            {.tag = "D"},
        }));
        EXPECT_TRUE(outcomes[0]);
        EXPECT_EQ(described(outcomes[1].error()), "invalid: tag=taken");
        EXPECT_EQ(described(outcomes[2].error()), "invalid: count=out_of_range");
        EXPECT_EQ(described(outcomes[3].error()), "invalid: owner_id=not_found");
        EXPECT_TRUE(outcomes[4]);
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 2);
        co_return {};
    });
}

TEST(Repo, broken_constraints_are_errors_of_fields) {
    with_repo([](Repo repo) -> Task<Result<>> {
        const Item item = co_await require(repo.insert(Item{.tag = "A"}));
        EXPECT_EQ(described((co_await repo.insert(Item{.tag = "A"})).error()),
                  "invalid: tag=taken");
        EXPECT_EQ(described((co_await repo.insert(Item{.id = item.id, .tag = "Z"})).error()),
                  "invalid: id=taken");
        EXPECT_EQ(described((co_await repo.insert(Item{.tag = "B", .owner_id = Id{{9}}})).error()),
                  "invalid: owner_id=not_found");
        EXPECT_EQ(described((co_await repo.insert(Item{.tag = "B", .count = -1})).error()),
                  "invalid: count=out_of_range");
        EXPECT_EQ(described((co_await repo.execute(sql("UPDATE items SET name = NULL"))).error()),
                  "invalid: name=required");
        const Error taken = (co_await repo.insert(Item{.tag = "A"})).error();
        EXPECT_EQ(taken.fields().at(0).message, "has already been taken");

        const Owner owner = co_await require(repo.insert(Owner{.name = "Ada"}));
        Item owned = co_await require(repo.insert(Item{.tag = "B", .owner_id = owner.id}));
        EXPECT_EQ(described((co_await repo.remove(owner)).error()), "conflict: in_use");
        owned.owner_id = Id{{7}};
        EXPECT_EQ(described((co_await repo.update(owned)).error()), "invalid: owner_id=not_found");
        co_return {};
    });
}

TEST(Repo, changesets_write_what_changed) {  // proves 2.4
    with_repo([](Repo repo) -> Task<Result<>> {
        const auto edit = [](Item item, Json params) {
            return change(std::move(item), params, {&Item::tag, &Item::name, &Item::count})
                .validate(required(&Item::tag));
        };
        const Item item = co_await require(repo.insert(edit({}, Json::object({{"tag", "A"}}))));
        EXPECT_FALSE((co_await repo.insert(edit({}, Json::object({{"name", "no tag"}})))));
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 1);

        // Another writer's change to a field that this changeset does not touch stays.
        co_await require(repo.update_all(from<Item>(), set(&Item::count, 5)));
        co_await require(repo.update(edit(item, Json::object({{"name", "new"}, {"count", 1}}))));
        const Item stored = co_await require(repo.get<Item>(item.id));
        EXPECT_EQ(stored.name, "new");
        EXPECT_EQ(stored.count, 5);

        const auto units = repo.stats().units;
        co_await require(repo.update(edit(stored, Json::object({{"name", "new"}}))));
        EXPECT_EQ(repo.stats().units, units);
        co_return {};
    });
}

TEST(Repo, tenants_upserts_keys_of_the_database_and_raw_sql) {
    with_repo([](Repo repo) -> Task<Result<>> {
        const Note a = co_await require(repo.insert(Note{.tenant = "a", .text = "x"}));
        const Note b = co_await require(repo.insert(Note{.tenant = "b", .text = "y"}));
        EXPECT_EQ(a.id, 1);
        EXPECT_EQ(b.id, 2);
        EXPECT_EQ((co_await require(repo.get<Note>("a", a.id))).text, "x");
        EXPECT_EQ((co_await repo.get<Note>("b", a.id)).error().kind(), ErrorKind::not_found);
        EXPECT_EQ((co_await repo.remove(Note{.id = a.id, .tenant = "b"})).error().kind(),
                  ErrorKind::not_found);
        EXPECT_EQ((co_await require(repo.all(from<Note>().for_tenant("b")))).size(), 1u);

        const Item first = co_await require(repo.insert(Item{.tag = "A", .count = 1}));
        const Item again = co_await require(repo.upsert(
            Item{.tag = "A", .name = "kept?", .count = 9}, {&Item::tag}, {&Item::count}));
        EXPECT_EQ(again.id, first.id);
        EXPECT_EQ(again.count, 9);
        EXPECT_EQ(again.name, "thing");

        const auto notes = co_await require(repo.query(
            sql<Note>("SELECT id, tenant, upper(text) AS text FROM notes WHERE text = ?", "y")));
        EXPECT_EQ(notes.at(0).text, "Y");
        EXPECT_EQ((co_await repo.query(sql<Note>("SELECT 1 AS wrong"))).error().code(),
                  "unknown_column");
        EXPECT_EQ((co_await repo.query(sql<Note>("DELETE FROM notes RETURNING id"))).error().code(),
                  "read_only");
        co_return {};
    });
}

TEST(Repo, values_are_never_sql) {
    with_repo([](Repo repo) -> Task<Result<>> {
        const std::string nasty = "'; DROP TABLE items; --\" OR 1=1 \0 ☃";
        co_await require(repo.insert(Item{.tag = nasty, .name = "%"}));
        co_await require(repo.insert(Item{.tag = "plain", .name = "other"}));
        EXPECT_EQ(co_await require(repo.count(from<Item>().where(col(&Item::tag) == nasty))), 1);
        EXPECT_EQ(co_await require(repo.count(from<Item>().where(col(&Item::name).contains("%")))),
                  1);
        EXPECT_EQ(co_await require(repo.count(from<Item>().where(col(&Item::tag).contains(nasty)))),
                  1);
        const auto raw = co_await require(
            repo.query(sql<Owner>("SELECT id, tag AS name FROM items WHERE tag = ?", nasty)));
        EXPECT_EQ(raw.at(0).name, nasty);
        EXPECT_FALSE(co_await repo.execute(sql("SELECT 1; COMMIT")));
        for (const std::string statement :
             {"COMMIT", "ROLLBACK", "BEGIN", "ATTACH 'x.db' AS x", "SELECT 1; SELECT 2"}) {
            EXPECT_FALSE(co_await repo.execute_script(statement + "; COMMIT")) << statement;
        }
        EXPECT_EQ(co_await require(repo.count(from<Item>())), 2);
        co_return {};
    });
}

TEST(Repo, pages_cover_every_row_once) {
    with_repo([](Repo repo) -> Task<Result<>> {
        std::vector<Item> items;
        for (int i = 0; i < 25; ++i)
            items.push_back({.tag = "T" + std::to_string(i), .name = "same"});
        co_await require(repo.insert_all(items));
        std::set<std::string> seen;
        for (std::int64_t number = 1; number <= 3; ++number) {
            const auto part = co_await require(page(repo, from<Item>().order_by(asc(&Item::name)),
                                                    {.page = number, .page_size = 10}));
            EXPECT_EQ(part.total, 25);
            EXPECT_EQ(part.pages(), 3);
            for (const Item& item : part.rows) EXPECT_TRUE(seen.insert(item.tag).second);
        }
        EXPECT_EQ(seen.size(), 25u);
        co_return {};
    });
}

struct Inner {
    int x = 0;
    std::string y;
};
BENNU_RECORD(Inner, x, y)
struct Everything {
    Id id;
    bool flag = false;
    std::int64_t big = 0;
    std::uint16_t small = 0;
    double real = 0;
    std::string text;
    Timestamp at;
    Date day;
    Duration lasts{};
    Money price;
    Status status = Status::in_stock;
    Json json;
    std::vector<std::string> list;
    Inner inner;
    std::optional<double> maybe;
    std::optional<std::string> words;
};
BENNU_RECORD(Everything, id, flag, big, small, real, text, at, day, lasts, price, status, json,
             list, inner, maybe, words)
BENNU_SCHEMA(Everything)
BENNU_DEFINE_SCHEMA(Everything, schema<Everything>("everything"))

TEST(Repo, every_kind_of_field_comes_back_as_it_was) {
    with_repo([](Repo repo) -> Task<Result<>> {
        co_await require(repo.execute_script(
            "CREATE TABLE everything (id TEXT PRIMARY KEY, flag INTEGER, big INTEGER, small "
            "INTEGER, "
            "real REAL, text TEXT, at INTEGER, day TEXT, lasts INTEGER, price INTEGER, status "
            "TEXT, "
            "json TEXT, list TEXT, inner TEXT, maybe REAL, words TEXT) STRICT"));
        Everything full{.flag = true,
                        .big = INT64_MIN,
                        .small = 65535,
                        .real = 0.1,
                        .text = std::string("null \0 byte, ünïcode", 21),
                        .at = {1'700'000'000'123},
                        .day = {19'000},
                        .lasts = 90s,
                        .price = {-1},
                        .status = Status::retired,
                        .json = Json::object({{"a", Json::array({1, 2.5, nullptr})}}),
                        .list = {"one", "two"},
                        .inner = {3, "y"},
                        .maybe = 1e300,
                        .words = ""};
        full = co_await require(repo.insert(full));
        const Everything empty = co_await require(repo.insert(Everything{}));
        EXPECT_TRUE(record_equal(co_await require(repo.get<Everything>(full.id)), full));
        EXPECT_TRUE(record_equal(co_await require(repo.get<Everything>(empty.id)), empty));
        co_return {};
    });
}

}  // namespace bennu::repo_test
