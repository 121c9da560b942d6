#include "bennu/base/excerpt.hpp"

#include <gtest/gtest.h>

#include <string>

namespace bennu {
namespace {

TEST(Excerpt, what_is_long_is_cut_where_a_character_ends) {
    EXPECT_EQ(excerpt("room:a"), "room:a");
    EXPECT_EQ(excerpt(std::string(500, 'x')), std::string(200, 'x'));
    std::string wide = "x";
    for (int i = 0; i < 300; ++i) wide += "ü";
    EXPECT_EQ(excerpt(wide), wide.substr(0, 199));
    EXPECT_EQ(excerpt(wide, 4), "xü");
    EXPECT_EQ(excerpt("ab\xffxyz", 4), "ab");
}

}  // namespace
}  // namespace bennu
