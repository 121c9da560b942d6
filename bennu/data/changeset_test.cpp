#include "bennu/data/changeset.hpp"

#include "bennu/data/shop_test.hpp"

namespace bennu::changeset_test {

using namespace shop;

std::string codes(const Changeset<Item>& changeset) {
    std::string list;
    for (const FieldError& each : changeset.errors()) list += each.field + ":" + each.code + " ";
    return list;
}
Changeset<Item> changed_by(const Json& params, const ChangeOptions& options = {}) {
    return change(Item{.tag = "LT-1", .name = "old"}, params,
                  {&Item::tag, &Item::name, &Item::status, &Item::cost, &Item::count}, options);
}

TEST(Changeset, takes_allowed_fields_and_notes_what_changed) {
    const auto edited = changed_by(Json::object({{"name", "new"}, {"tag", "LT-1"}}));
    ASSERT_TRUE(edited.valid());
    EXPECT_EQ(edited.apply()->name, "new");
    EXPECT_TRUE(edited.changed(&Item::name));
    EXPECT_FALSE(edited.changed(&Item::tag));
    EXPECT_TRUE(edited.given(&Item::tag));
    EXPECT_FALSE(edited.given(&Item::cost));
    EXPECT_EQ(edited.changed_fields().size(), 1u);
}

TEST(Changeset, refuses_fields_that_are_not_allowed) {
    EXPECT_EQ(codes(changed_by(Json::object({{"owner_id", nullptr}, {"colour", "red"}}))),
              "owner_id:unknown colour:unknown ");
    const auto ignored =
        changed_by(Json::object({{"owner_id", 5}, {"name", "n"}}), {.unknown = Unknown::ignore});
    ASSERT_TRUE(ignored.valid());
    EXPECT_FALSE(ignored.record().owner_id);
    EXPECT_FALSE(change(Item{}, Json::object({{"name", "n"}}), {}).valid());
}

TEST(Changeset, wrong_types_are_errors_of_their_field) {
    const auto bad = changed_by(Json::object({{"name", 5}, {"status", "lost"}, {"count", "x"}}));
    EXPECT_EQ(bad.errors().size(), 3u);
    EXPECT_FALSE(bad.apply());
    EXPECT_EQ(bad.apply().error().kind(), ErrorKind::invalid);
    EXPECT_FALSE(changed_by(Json("text")).valid());
    EXPECT_FALSE(changed_by(Json::array()).valid());
}

TEST(Changeset, rules_look_at_changes) {
    const auto rules = [](Changeset<Item> changes) {
        return std::move(changes).validate(
            required(&Item::tag, &Item::name), length(&Item::name, {.min = 2, .max = 4}),
            range(&Item::count, {.min = 1, .max = 10}), range(&Item::cost, {.max = Money{1000}}),
            inclusion(&Item::status, {Status::in_stock, Status::assigned}),
            exclusion(&Item::tag, {"root"}),
            format(&Item::tag, [](const std::string& tag) { return tag.find(' ') == tag.npos; }));
    };
    EXPECT_EQ(codes(rules(changed_by(Json::object({{"name", "ab"}})))), "");
    EXPECT_EQ(codes(rules(changed_by(Json::object({{"name", "  "}})))), "name:required ");
    EXPECT_EQ(codes(rules(changed_by(Json::object({{"name", "a"}})))), "name:too_short ");
    EXPECT_EQ(codes(rules(changed_by(Json::object({{"name", "ééééé"}})))), "name:too_long ");
    EXPECT_EQ(codes(rules(changed_by(Json::object({{"name", "éééé"}})))), "");
    EXPECT_EQ(codes(rules(changed_by(Json::object({{"count", 0}, {"cost", 10.01}})))),
              "count:out_of_range cost:out_of_range ");
    EXPECT_EQ(codes(rules(changed_by(Json::object({{"status", "retired"}, {"tag", "a b"}})))),
              "status:not_one_of tag:format ");
    EXPECT_EQ(codes(rules(changed_by(Json::object({{"tag", "root"}})))), "tag:reserved ");
}

TEST(Changeset, a_field_gets_one_error_and_paths_go_in_front) {
    const auto twice = changed_by(Json::object({{"name", 5}}), {.path = "item."})
                           .validate(required(&Item::name), length(&Item::name, {.max = 0}));
    EXPECT_EQ(codes(twice), "item.name:type ");
    EXPECT_EQ(codes(changed_by(Json::object({{"name", ""}}), {.path = "item."})
                        .validate(required(&Item::name))),
              "item.name:required ");
}

TEST(Changeset, trusted_code_puts_and_checks_of_your_own_work) {
    const auto made = changed_by(Json::object())
                          .put(&Item::status, Status::retired)
                          .validate(check_field(&Item::status, [](Status status, auto fail) {
                              if (status == Status::retired) fail("final", "cannot be undone");
                          }));
    EXPECT_TRUE(made.changed(&Item::status));
    EXPECT_EQ(codes(made), "status:final ");
}

}  // namespace bennu::changeset_test
