#include "bennu/data/query.hpp"

#include "bennu/data/shop_test.hpp"
#include "bennu/data/statement.hpp"

namespace bennu::query_test {

using namespace shop;
using data::Dialect;
using data::Statement;

/// The SQL and its parameters on one line.
std::string text_of(const Statement& statement) {
    std::string text = statement.sql;
    for (const Value& value : statement.params) {
        text += " | ";
        if (const auto* number = std::get_if<std::int64_t>(&value)) text += std::to_string(*number);
        if (const auto* real = std::get_if<double>(&value)) text += std::to_string(*real);
        if (const auto* words = std::get_if<std::string>(&value)) text += *words;
        if (is_null(value)) text += "null";
    }
    return text;
}
/// From WHERE on.
std::string where_of(const Query<Item>& query, Dialect dialect = Dialect::sqlite) {
    const std::string text = text_of(data::select_statement(query.state(), dialect));
    const std::size_t at = text.find(" FROM \"items\"");
    return text.substr(at + 13);
}

TEST(QueryText, names_every_column) {
    EXPECT_EQ(text_of(data::select_statement(from<Owner>().state(), Dialect::sqlite)),
              R"(SELECT "id", "name" FROM "owners")");
    EXPECT_EQ(text_of(data::count_statement(from<Owner>().state(), Dialect::sqlite)),
              R"(SELECT count(*) AS "count" FROM "owners")");
}

TEST(QueryText, conditions_become_sql_with_parameters) {
    EXPECT_EQ(where_of(from<Item>().where(col(&Item::status) == Status::assigned)),
              R"( WHERE "status" = ? | assigned)");
    EXPECT_EQ(where_of(from<Item>().where(col(&Item::cost) >= Money{500} &&
                                          (col(&Item::count) < 3 || !(col(&Item::tag) == "x")))),
              R"( WHERE ("cost" >= ? AND ("count" < ? OR NOT ("tag" = ?))) | 500 | 3 | x)");
    EXPECT_EQ(
        where_of(from<Item>()
                     .where(col(&Item::count).in({1, 2}))
                     .where(col(&Item::owner_id).is_null())
                     .where(col(&Item::cost).is_not_null())),
        R"( WHERE ("count" IN (?, ?) AND "owner_id" IS NULL AND NOT ("cost" IS NULL)) | 1 | 2)");
    EXPECT_EQ(where_of(from<Item>().where(col(&Item::count).in({}))), " WHERE 1 = 0");
}

TEST(QueryText, an_absent_optional_differs_from_every_value) {
    EXPECT_EQ(where_of(from<Item>().where(col(&Item::cost) != Money{1})),
              R"( WHERE "cost" IS NOT ? | 1)");
    EXPECT_EQ(where_of(from<Item>().where(col(&Item::count) != 1)), R"( WHERE "count" <> ? | 1)");
    EXPECT_EQ(where_of(from<Item>().where(col(&Item::cost) != Money{1}), Dialect::postgres),
              R"( WHERE "cost" IS DISTINCT FROM $1 | 1)");
}

TEST(QueryText, patterns_match_literally) {
    EXPECT_EQ(where_of(from<Item>().where(col(&Item::tag).contains("50%_\\"))),
              R"( WHERE "tag" LIKE ? ESCAPE '\' | %50\%\_\\%)");
    EXPECT_EQ(where_of(from<Item>().where(col(&Item::tag).starts_with("LT")), Dialect::postgres),
              R"( WHERE "tag" ILIKE $1 ESCAPE '\' | LT%)");
}

TEST(QueryText, order_limit_and_pages) {
    EXPECT_EQ(where_of(from<Item>().order_by(desc(&Item::updated_at), asc(&Item::tag)).limit(5)),
              R"( ORDER BY "updated_at" DESC, "tag" LIMIT ? | 5)");
    EXPECT_EQ(where_of(from<Item>().offset(7)), " LIMIT -1 OFFSET ? | 7");
    EXPECT_EQ(where_of(from<Item>().order_by(asc(&Item::name)).paged(3, 10), Dialect::postgres),
              R"( ORDER BY "name", "id" LIMIT $1 OFFSET $2 | 10 | 20)");
}

TEST(QueryText, writes) {
    const Owner owner{.id = {}, .name = "Ada"};
    const void* const rows[] = {&owner, &owner};
    const std::string nil = "00000000-0000-0000-0000-000000000000";
    EXPECT_EQ(text_of(data::insert_statement(schema_of<Owner>(), rows, Dialect::postgres)),
              R"(INSERT INTO "owners" ("id", "name") VALUES ($1, $2), ($3, $4) | )" + nil +
                  " | Ada | " + nil + " | Ada");
    const Note note{.id = 0, .tenant = "demo", .text = "hi"};
    const void* const notes[] = {&note};
    EXPECT_EQ(text_of(data::insert_statement(schema_of<Note>(), notes, Dialect::sqlite)),
              R"(INSERT INTO "notes" ("tenant", "text") VALUES (?, ?) RETURNING "id" | demo | hi)");
    const Field* fields[] = {schema_of<Note>().column("text")};
    EXPECT_EQ(
        text_of(data::update_record_statement(schema_of<Note>(), &note, fields, Dialect::sqlite)),
        R"(UPDATE "notes" SET "text" = ? WHERE "id" = ? AND "tenant" = ? | hi | 0 | demo)");
    EXPECT_EQ(text_of(data::delete_statement(from<Owner>().limit(2).state(), Dialect::sqlite)),
              R"(DELETE FROM "owners" WHERE "id" IN (SELECT "id" FROM "owners" LIMIT ?) | 2)");
}

TEST(QueryText, placeholders_of_raw_sql_skip_quoted_text) {
    EXPECT_EQ(data::with_placeholders("a = ? and b = '?' and \"c?\" = ?", Dialect::postgres),
              "a = $1 and b = '?' and \"c?\" = $2");
}

TEST(Query, a_table_with_tenants_wants_to_know_whose_rows) {
    EXPECT_THROW(from<Note>().state().check(), std::logic_error);
    EXPECT_NO_THROW(from<Note>().for_tenant("demo").state().check());
    EXPECT_NO_THROW(from<Note>().across_tenants().state().check());
    EXPECT_THROW((void)from<Note>().for_tenant(3), std::logic_error);
    EXPECT_THROW((void)from<Owner>().for_tenant("demo"), std::logic_error);
}

// What must not compile: comparing a column with a value of another type.
template <typename M, typename U>
concept Comparable = requires(M member, U value) { col(member) == value; };
static_assert(Comparable<decltype(&Item::tag), const char*>);
static_assert(Comparable<decltype(&Item::cost), Money>);
static_assert(Comparable<decltype(&Item::count), std::int64_t>);
static_assert(!Comparable<decltype(&Item::cost), int>);
static_assert(!Comparable<decltype(&Item::cost), const char*>);
static_assert(!Comparable<decltype(&Item::status), int>);
static_assert(!Comparable<decltype(&Item::status), const char*>);
static_assert(!Comparable<decltype(&Item::count), double>);
static_assert(!Comparable<decltype(&Item::count), bool>);
static_assert(!Comparable<decltype(&Item::owner_id), const char*>);
template <typename C>
concept Searchable = requires(C column) { column.contains("x"); };
static_assert(Searchable<Column<Item, std::string>> && !Searchable<Column<Item, int>>);
template <typename T, typename Part>
concept Conditional = requires(Query<T> query, Part part) { query.where(part); };
static_assert(Conditional<Item, Where<Item>> && !Conditional<Item, Where<Owner>>);
template <typename T, typename Part>
concept Orderable = requires(Query<T> query, Part part) { query.order_by(part); };
static_assert(Orderable<Item, Order<Item>> && !Orderable<Item, Order<Owner>>);
static_assert(!Stored<int>);

}  // namespace bennu::query_test
