#include "bennu/pubsub/presence_meta.hpp"

#include <gtest/gtest.h>

namespace bennu::presence::detail {
namespace {

std::string ids(const MetaList& list) {
    std::string all;
    list.for_each([&](const Meta& meta) { all += std::to_string(meta.id); });
    return all;
}

MetaList list_of(std::initializer_list<std::uint64_t> entries) {
    MetaList list;
    for (const std::uint64_t id : entries) list.add({.id = id, .fields = std::to_string(id)});
    return list;
}

TEST(MetaList, KeepsTheOrderOfJoining) {
    for (const std::uint64_t gone : {1, 2, 3, 4}) {
        MetaList list = list_of({1, 2, 3, 4});
        EXPECT_EQ(ids(list), "1234");
        const std::optional<Meta> taken = list.take(gone);
        ASSERT_TRUE(taken);
        EXPECT_EQ(taken->fields, std::to_string(gone));
        EXPECT_FALSE(list.find(gone));
        EXPECT_FALSE(list.take(gone));
        std::string left = "1234";
        std::erase(left, static_cast<char>('0' + gone));
        EXPECT_EQ(ids(list), left);
        for (const char id : left) {
            const Meta* found = list.find(static_cast<std::uint64_t>(id - '0'));
            ASSERT_TRUE(found);
            EXPECT_EQ(found->fields, std::string(1, id));
        }
    }
}

TEST(MetaList, EmptiesAndFillsAgain) {
    MetaList list;
    EXPECT_TRUE(list.empty());
    EXPECT_FALSE(list.find(1));
    EXPECT_FALSE(list.take(1));
    for (int round = 0; round < 2; ++round) {
        list.add({.id = 1});
        list.add({.id = 2});
        EXPECT_TRUE(list.take(1));
        EXPECT_EQ(ids(list), "2");
        EXPECT_TRUE(list.take(2));
        EXPECT_TRUE(list.empty());
    }
}

TEST(Meta, SaysItsFieldsAndItsRef) {
    Meta meta{.id = 1, .fields = std::string("\"a\":1,")};
    std::ranges::copy(std::string_view("0123456789abcdef"), meta.ref.begin());
    EXPECT_EQ(meta.text(), R"({"a":1,"phx_ref":"0123456789abcdef"})");
    meta.fields = {};
    EXPECT_EQ(meta.text(), R"({"phx_ref":"0123456789abcdef"})");
}

}  // namespace
}  // namespace bennu::presence::detail
