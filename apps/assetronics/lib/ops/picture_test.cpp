#include "apps/assetronics/lib/ops/picture.hpp"

#include <gtest/gtest.h>

#include "apps/assetronics/lib/ops/history.hpp"
#include "apps/assetronics/lib/ops/practice.hpp"

namespace assetronics::ops::picture_test {

using namespace bennu;
using namespace std::chrono_literals;

constexpr Timestamp at{1'780'000'000'000};

TreeNode node(std::string id, Pid pid, std::vector<TreeNode> children = {}) {
    TreeNode made{.id = std::move(id), .pid = pid, .type = "X", .up = 5s, .runs = 10};
    if (!children.empty()) made.strategy = "one_for_one";
    made.child_count = children.size();
    made.children = std::move(children);
    return made;
}

std::vector<TreeNode> tree(Pid a = Pid(0, 2, 1)) {
    std::vector<TreeNode> roots;
    roots.push_back(node("root", Pid(0, 1, 1), {node("a", a), node("b", Pid(1, 3, 1))}));
    return roots;
}

TEST(OpsPicture, rows_know_their_place_and_keep_their_key_across_restarts) {
    Picture picture;
    picture.look(tree(), at, {{Pid(0, 2, 1), 4}});
    ASSERT_EQ(picture.rows().size(), 3U);
    const ProcessRow root = picture.rows()[0].row, a = picture.rows()[1].row,
                     b = picture.rows()[2].row;
    EXPECT_EQ(root.parent, 0);
    EXPECT_FALSE(root.guarded.empty());
    EXPECT_EQ(a.parent, root.key);
    EXPECT_TRUE(a.guarded.empty());
    EXPECT_EQ(b.position, 1);
    EXPECT_EQ(b.shard, 1);
    EXPECT_EQ(a.runs, 6) << "without what watching it caused";
    EXPECT_EQ(b.runs, 10);
    EXPECT_EQ(a.started_at, at - 5s);
    EXPECT_EQ(picture.find("<0.2.1>")->row.id, "a");
    EXPECT_EQ(picture.find(""), nullptr);

    picture.look(tree(), at + 1s, {});
    EXPECT_EQ(picture.rows()[1].row.started_at, at - 5s) << "does not wander";
    picture.look(tree(Pid(0, 9, 1)), at + 2s, {});
    EXPECT_EQ(picture.rows()[1].row.key, a.key);
    EXPECT_EQ(picture.rows()[1].row.pid, "<0.9.1>");
    EXPECT_EQ(picture.rows()[1].row.started_at, at - 3s);
    EXPECT_EQ(picture.find("<0.2.1>"), nullptr);
    EXPECT_EQ(picture.find_key(b.key)->row.id, "b");
}

TEST(OpsPicture, children_that_share_an_id_are_told_apart_by_pid) {
    std::vector<TreeNode> roots = tree();
    roots[0].strategy = "dynamic";
    roots[0].children[1].id = "a";
    Picture picture;
    picture.look(roots, at, {});
    ASSERT_EQ(picture.rows().size(), 3U);
    EXPECT_NE(picture.rows()[1].row.key, picture.rows()[2].row.key);
    const auto before = picture.rows();
    roots[0].children.erase(roots[0].children.begin());
    picture.look(roots, at, {});
    EXPECT_EQ(difference(before, picture.rows()).removed, std::vector{before[1].row.key});
}

TEST(OpsPicture, the_number_of_rows_is_bounded) {
    std::vector<TreeNode> many;
    for (std::uint32_t i = 0; i < 1000; ++i) many.push_back(node(std::to_string(i), Pid(0, i, 1)));
    std::vector<TreeNode> roots;
    roots.push_back(node("root", Pid(1, 1, 1), std::move(many)));
    Picture picture;
    picture.look(roots, at, {});
    EXPECT_EQ(picture.rows().size(), Picture::most_rows);
    EXPECT_EQ(picture.rows()[0].row.children, 1000);
}

TEST(OpsPicture, the_crew_is_marked_as_such) {
    std::vector<TreeNode> roots = tree();
    roots[0].children[0].name = practice_name;
    roots[0].children[0].children.push_back(node("counter", Pid(0, 7, 1)));
    Picture picture;
    picture.look(roots, at, {});
    EXPECT_FALSE(picture.rows()[0].row.practice);
    EXPECT_TRUE(picture.rows()[1].row.practice);
    EXPECT_TRUE(picture.rows()[2].row.practice);
    EXPECT_FALSE(picture.rows()[3].row.practice);
}

TEST(OpsPicture, a_difference_has_only_what_changed) {
    Picture picture;
    picture.look(tree(), at, {});
    const auto before = picture.rows();
    const Difference none = difference(before, before);
    EXPECT_TRUE(none.added.empty() && none.changed.empty() && none.removed.empty());

    std::vector<TreeNode> roots = tree();
    roots[0].children[0].mailbox = 7;
    roots[0].children[0].restarts = 1;
    roots[0].children.push_back(node("c", Pid(0, 4, 1)));
    picture.look(roots, at, {});
    Difference changes = difference(before, picture.rows());
    ASSERT_EQ(changes.added.size(), 1U);
    EXPECT_EQ(changes.added[0].id, "c");
    EXPECT_TRUE(changes.removed.empty());
    ASSERT_EQ(changes.changed.size(), 1U);
    EXPECT_EQ(changes.changed[0],
              Json::object({{"key", before[1].row.key}, {"restarts", 1}, {"mailbox", 7}}));

    changes = difference(picture.rows(), before);
    EXPECT_EQ(changes.removed.size(), 1U);
    EXPECT_EQ(changes.changed.at(0)["mailbox"], Json(0));
}

TEST(OpsHistory, news_are_new_restarts_and_those_whose_child_is_back) {
    RestartRecord record{.at = at, .supervisor = Pid(1, 2, 3), .child = "a", .reason = "killed"};
    record.was = Pid(0, 5, 1);
    record.serial = 9;
    History history;
    history.look({record});
    auto news = history.take_news();
    ASSERT_EQ(news.size(), 1U);
    EXPECT_EQ(news[0].id, "1.9");
    EXPECT_EQ(news[0].was, "<0.5.1>");
    EXPECT_EQ(news[0].pid, "");
    history.look({record});
    EXPECT_TRUE(history.take_news().empty());
    record.pid = Pid(0, 6, 1);
    record.took = 1500us;
    history.look({record});
    news = history.take_news();
    ASSERT_EQ(news.size(), 1U);
    EXPECT_EQ(news[0].took_us, 1500.0);
    EXPECT_EQ(history.rows().size(), 1U);
}

}  // namespace assetronics::ops::picture_test
