#include "bennu/web/path.hpp"

#include <gtest/gtest.h>

namespace bennu {
namespace {

/// The segments joined by `|`, or the error's code.
std::string path_as_text(std::string_view path) {
    PathSegments segments;
    auto parsed = segments.parse(path);
    if (!parsed) return "! " + std::string(parsed.error().code());
    std::string out;
    for (std::string_view segment : segments.all()) out.append("|").append(segment);
    return out;
}

TEST(PathSegments, splits_decodes_and_refuses) {
    struct Row {
        std::string_view path;
        std::string_view expected;
    };
    using namespace std::string_view_literals;
    constexpr Row rows[] = {
        {"/", ""},
        {"", ""},
        {"/a", "|a"},
        {"/a/b", "|a|b"},
        {"/a/", "|a"},
        {"//a///b//", "|a|b"},
        {"/a%20b/c", "|a b|c"},
        {"/%C3%A9", "|\xC3\xA9"},
        {"/\xC3\xA9", "|\xC3\xA9"},
        {"/a.b/c..d/...", "|a.b|c..d|..."},
        {"/a;b=1/@x,y", "|a;b=1|@x,y"},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
         "|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17"},
        {"/a/../b", "! bad_path"},
        {"/..", "! bad_path"},
        {"/./a", "! bad_path"},
        {"/a/%2e%2e/b", "! bad_path"},
        {"/%2E%2e", "! bad_path"},
        {"/.%2e/x", "! bad_path"},
        {"/a%2fb", "! bad_path"},
        {"/a%2Fb", "! bad_path"},
        {"/a%5cb", "! bad_path"},
        {"/a\\b", "! bad_path"},
        {"/a%00b", "! bad_path"},
        {"/a%0d%0ab", "! bad_path"},
        {"/a%7f", "! bad_path"},
        {"/%ff", "! bad_path"},
        {"/%c0%af", "! bad_path"},
        {"/%zz", "! bad_path"},
        {"/%4", "! bad_path"},
        {"*", "! bad_path"},
    };
    for (const Row& row : rows) EXPECT_EQ(path_as_text(row.path), row.expected) << row.path;
}

}  // namespace
}  // namespace bennu
