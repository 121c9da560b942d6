#include "apps/assetronics/cli.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// What the command line says and with which status it ends, where nothing is served.
namespace assetronics::testing {
namespace {

struct Ended {
    int status = 0;
    std::string out, errors;
};

Ended command(std::vector<std::string> words) {
    words.insert(words.begin(), "assetronics");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Ended ended;
    ended.status = run_cli(static_cast<int>(arguments.size()), arguments.data());
    ended.out = ::testing::internal::GetCapturedStdout();
    ended.errors = ::testing::internal::GetCapturedStderr();
    return ended;
}

TEST(CommandLine, routes_are_listed_by_method) {
    const Ended posts = command({"routes", "assets", "--method", "post"});
    EXPECT_EQ(posts.status, 0) << posts.errors;
    EXPECT_TRUE(posts.out.contains("POST    /api/v1/assets")) << posts.out;
    EXPECT_FALSE(posts.out.contains("GET     ")) << posts.out;
    const Ended none = command({"routes", "nothing like this"});
    EXPECT_EQ(none.status, 1);
    EXPECT_EQ(none.out, "");
    EXPECT_TRUE(none.errors.contains("no route is like that")) << none.errors;
}

TEST(CommandLine, a_method_that_there_is_not_is_wrong_usage_and_the_methods_are_named) {
    const Ended wrong = command({"routes", "--method", "NONSENSE"});
    EXPECT_EQ(wrong.status, 2);
    EXPECT_EQ(wrong.out, "");
    EXPECT_TRUE(wrong.errors.contains("there is no method NONSENSE, only GET, HEAD, POST"))
        << wrong.errors;
    EXPECT_TRUE(wrong.errors.contains("SOCKET, FILES")) << wrong.errors;
}

TEST(CommandLine, what_it_does_not_know_is_wrong_usage_and_help_is_none) {
    EXPECT_EQ(command({"nonsense"}).status, 2);
    EXPECT_EQ(command({"routes", "--nonsense"}).status, 2);
    EXPECT_EQ(command({"rollback", "--steps", "-1"}).status, 2);
    const Ended help = command({"routes", "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_TRUE(help.out.contains("--method")) << help.out;
}

}  // namespace
}  // namespace assetronics::testing
