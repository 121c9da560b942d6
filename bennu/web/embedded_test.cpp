#include "bennu/web/embedded.hpp"

#include <gtest/gtest.h>

#include "bennu/web/testing.hpp"
#include "embedded/site.hpp"

namespace bennu {
namespace {

TEST(Embedded, a_folder_is_inside_the_program_with_its_variants) {
    EmbeddedFolder folder = web_test::site();
    ASSERT_EQ(folder.size(), 2u);
    EXPECT_EQ(folder[0].path, "assets/app-Q7x_k2Pz.js");
    EXPECT_TRUE(folder[0].bytes.starts_with("// A script of the embedding test"));
    EXPECT_TRUE(folder[0].gzip.starts_with("\x1f\x8b"));
    EXPECT_LT(folder[0].brotli.size(), folder[0].bytes.size());
    EXPECT_LT(folder[0].zstd.size(), folder[0].bytes.size());
    EXPECT_EQ(folder[1].path, "index.html");
    EXPECT_EQ(folder[1].gzip, "");
}

TEST(Embedded, is_served_like_a_folder) {
    auto router = std::make_shared<Router>();
    router->files("/", StaticFiles::embedded(web_test::site()));
    TestClient client(router);
    EXPECT_EQ(client.get("/").body, "<!doctype html><title>fixture</title>\n");
    auto script = client.send(
        {.target = "/assets/app-Q7x_k2Pz.js", .headers = {{"accept-encoding", "zstd, gzip"}}});
    EXPECT_EQ(script.header("content-encoding"), "zstd");
    EXPECT_EQ(script.header("cache-control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(client.get("/.hidden").status, 404);
}

}  // namespace
}  // namespace bennu
