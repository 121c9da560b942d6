#include "bennu/data/filters.hpp"

#include "bennu/data/shop_test.hpp"
#include "bennu/data/statement.hpp"

namespace bennu::filters_test {

using namespace shop;

const Fields<Item> allowed{&Item::tag, &Item::status, &Item::cost, &Item::count, &Item::updated_at};

Result<ListRequest<Item>> parse(QueryParams params) {
    return parse_filters<Item>(params, allowed, {.other = {"q"}});
}
std::string sql_of(QueryParams params) {
    Result<ListRequest<Item>> parsed = parse(std::move(params));
    if (!parsed) return parsed.error().describe();
    const std::string sql =
        data::select_statement(parsed->query.state(), data::Dialect::sqlite).sql;
    return sql.substr(sql.find(" FROM \"items\"") + 13);
}
/// The only error's field and code.
std::string error_of(QueryParams params) {
    Result<ListRequest<Item>> parsed = parse(std::move(params));
    if (parsed) return "accepted";
    std::string list;
    for (const FieldError& each : parsed.error().fields())
        list += each.field + ":" + each.code + " ";
    return list;
}

TEST(Filters, repeated_and_listed_values_mean_one_of) {
    EXPECT_EQ(sql_of({{"status", "assigned"}, {"status", "in_stock,retired"}}),
              R"( WHERE "status" IN (?, ?, ?))");
    EXPECT_EQ(sql_of({{"tag", "LT-1"}}), R"( WHERE "tag" = ?)");
}

TEST(Filters, operators_are_typed_by_the_column) {
    EXPECT_EQ(sql_of({{"cost[gte]", "100"}, {"cost[lt]", "200.50"}}),
              R"( WHERE ("cost" >= ? AND "cost" < ?))");
    EXPECT_EQ(sql_of({{"tag[contains]", "LT"}, {"cost[null]", "true"}, {"count[ne]", "3"}}),
              R"( WHERE ("tag" LIKE ? ESCAPE '\' AND "cost" IS NULL AND "count" <> ?))");
    Result<ListRequest<Item>> parsed = parse({{"cost[gte]", "100"}});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::get<std::int64_t>(parsed->query.state().where->values.at(0)), 10'000);
}

TEST(Filters, sort_and_page) {
    EXPECT_EQ(sql_of({{"sort", "-updated_at,tag"}, {"q", "whatever"}}),
              R"( ORDER BY "updated_at" DESC, "tag")");
    Result<ListRequest<Item>> parsed = parse({{"page", "2"}, {"page_size", "100"}});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->page.page, 2);
    EXPECT_EQ(parsed->page.page_size, 100);
    EXPECT_EQ(parse({})->page.page_size, 50);
}

TEST(Filters, what_is_wrong_is_never_ignored) {
    EXPECT_EQ(error_of({{"colour", "red"}}), "colour:unknown ");
    EXPECT_EQ(error_of({{"name", "not allowed"}}), "name:unknown ");
    EXPECT_EQ(error_of({{"status", "lost"}}), "status:not_one_of ");
    EXPECT_EQ(error_of({{"cost[between]", "1"}}), "cost[between]:invalid_operator ");
    EXPECT_EQ(error_of({{"count[contains]", "1"}}), "count[contains]:invalid_operator ");
    EXPECT_EQ(error_of({{"sort", "colour"}}), "sort:unknown ");
    EXPECT_EQ(error_of({{"page", "0"}}), "page:out_of_range ");
    EXPECT_EQ(error_of({{"page", "2x"}}), "page:out_of_range ");
    EXPECT_EQ(error_of({{"page_size", "101"}}), "page_size:out_of_range ");
    EXPECT_EQ(error_of({{"cost[null]", "maybe"}}), "cost[null]:invalid ");
    EXPECT_NE(error_of({{"count", "1; DROP TABLE items"}}), "accepted");
    EXPECT_NE(error_of({{"cost[gte]", "cheap"}}), "accepted");
    EXPECT_EQ(error_of({{"a", ""}, {"b", ""}}), "a:unknown b:unknown ");
}

}  // namespace bennu::filters_test
