#include "bennu/web/static_files.hpp"

#include <brotli/decode.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/compress.hpp"
#include "bennu/web/static_set.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_static_test {

/// A folder that is gone at the end of the test.
class Folder {
  public:
    Folder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "bennu_static_XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    void write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name, std::ios::binary) << text;
    }
    std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

const std::string script(3000, 'a');

std::string unbrotli(std::string_view bytes) {
    std::string out(10'000, '\0');
    std::size_t size = out.size();
    auto outcome =
        BrotliDecoderDecompress(bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                &size, reinterpret_cast<std::uint8_t*>(out.data()));
    EXPECT_EQ(outcome, BROTLI_DECODER_RESULT_SUCCESS);
    out.resize(size);
    return out;
}

void fill(const Folder& folder) {
    folder.write("index.html", "<!doctype html><p>hi</p>");
    folder.write("assets/index-B4rxY9zQ.js", script);
    folder.write("assets/index-B4rxY9zQ.js.gz", "ready gzip");
    folder.write("assets/some-document.txt", "words");
    folder.write("logo.svg", "<svg/>");
    folder.write("docs/index.html", "<p>docs</p>");
    folder.write(".env", "SECRET=1");
    folder.write(".git/config", "secret");
    folder.write(".well-known/security.txt", "contact");
    folder.write("empty.txt", "");
    std::filesystem::create_symlink("/etc/passwd", folder.path() + "/passwd.txt");
}

std::shared_ptr<Router> make_router(const StaticFiles& files) {
    auto router = std::make_shared<Router>();
    router->files("/", files);
    router->get("/logo.svg/info", [](Conn conn) { return text(conn, 200, "route"); });
    router->get("/t/*page", files.page("index.html"));
    return router;
}

class StaticFilesTest : public testing::Test {
  protected:
    StaticFilesTest() {
        fill(folder);
        auto files = StaticFiles::directory(folder.path());
        EXPECT_TRUE(files);
        client.emplace(make_router(*files));
    }
    TestResponse get(std::string target,
                     std::vector<std::pair<std::string, std::string>> headers = {}) {
        return client->send({.target = std::move(target), .headers = std::move(headers)});
    }
    Folder folder;
    std::optional<TestClient> client;
};

// proves 2.12, 2.29
TEST_F(StaticFilesTest, digests_are_cached_for_ever_and_the_rest_is_asked_for) {
    auto hashed = get("/assets/index-B4rxY9zQ.js");
    EXPECT_EQ(hashed.status, 200);
    EXPECT_EQ(hashed.body, script);
    EXPECT_EQ(hashed.header("content-type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(hashed.header("cache-control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(get("/assets/some-document.txt").header("cache-control"), "no-cache");
    auto page = get("/");
    EXPECT_EQ(page.body, "<!doctype html><p>hi</p>");
    EXPECT_EQ(page.header("cache-control"), "no-cache");
    EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(get("/docs/").body, "<p>docs</p>");
    EXPECT_EQ(get("/t/demo/assets").body, page.body);
    EXPECT_EQ(get("/empty.txt").status, 200);
    EXPECT_EQ(get("/logo.svg/info").body, "route");
}

TEST_F(StaticFilesTest, a_folder_is_asked_for_with_its_slash) {
    auto folder_only = get("/docs");
    EXPECT_EQ(folder_only.status, 301);
    EXPECT_EQ(folder_only.header("location"), "/docs/");
    EXPECT_EQ(get("/docs?page=2").header("location"), "/docs/?page=2");
    EXPECT_EQ(client->send({.method = net::Method::head, .target = "/docs"}).status, 301);
    EXPECT_EQ(get("/docs/index.html").body, "<p>docs</p>");
    // The page of an app is the same at every path.
    EXPECT_EQ(get("/t/demo").status, 200);
    // Below a prefix it is no different.
    auto router = std::make_shared<Router>();
    router->files("/files", StaticFiles::directory(folder.path()).value());
    TestClient mounted(router);
    EXPECT_EQ(mounted.send({.target = "/files"}).header("location"), "/files/");
    EXPECT_EQ(mounted.send({.target = "/files/"}).status, 200);
    EXPECT_EQ(mounted.send({.target = "/files/docs"}).header("location"), "/files/docs/");
    EXPECT_EQ(mounted.send({.target = "/files/logo.svg"}).status, 200);
}

TEST_F(StaticFilesTest, unchanged_files_are_not_sent_again) {
    auto first = get("/");
    std::string etag(first.header("etag"));
    ASSERT_TRUE(etag.starts_with('"') && etag.size() > 10) << etag;
    for (std::string sent : {etag, "W/" + etag, "\"x\", " + etag, std::string("*")}) {
        auto again = get("/", {{"if-none-match", sent}});
        EXPECT_EQ(again.status, 304) << sent;
        EXPECT_EQ(again.body, "");
        EXPECT_EQ(again.header("etag"), etag);
        EXPECT_EQ(again.header("cache-control"), "no-cache");
    }
    EXPECT_EQ(get("/", {{"if-none-match", "\"other\""}}).status, 200);
    folder.write("index.html", "<p>changed</p>");
    auto changed = StaticFiles::directory(folder.path());
    ASSERT_TRUE(changed);
    TestClient next(make_router(*changed));
    EXPECT_EQ(next.send({.target = "/", .headers = {{"if-none-match", etag}}}).status, 200);
}

TEST_F(StaticFilesTest, sends_the_variant_that_the_client_prefers) {
    struct Row {
        std::string accept;
        std::string coding;
    };
    const Row rows[] = {
        {"gzip, deflate, br", "br"},
        {"gzip", "gzip"},
        {"gzip;q=1, br;q=0.5", "gzip"},
        {"br;q=0, gzip;q=0", ""},
        {"identity, gzip;q=0.5", ""},
        {"*", "br"},
        {"deflate", ""},
        {"", ""},
    };
    std::vector<std::string> etags;
    for (const Row& row : rows) {
        auto response = get("/assets/index-B4rxY9zQ.js", {{"accept-encoding", row.accept}});
        EXPECT_EQ(response.header("content-encoding"), row.coding) << row.accept;
        EXPECT_EQ(response.header("vary"), "accept-encoding");
        if (row.coding == "br") EXPECT_EQ(unbrotli(response.body), script);
        if (row.coding == "gzip") EXPECT_EQ(response.body, "ready gzip");
        etags.emplace_back(response.header("etag"));
    }
    EXPECT_NE(etags[0], etags[1]);  // a strong tag names the bytes
    EXPECT_EQ(get("/logo.svg", {{"accept-encoding", "br"}}).header("vary"), "");
    EXPECT_EQ(get("/assets/index-B4rxY9zQ.js.gz").status, 404);
}

TEST_F(StaticFilesTest, nothing_outside_and_nothing_hidden) {
    for (std::string_view target :
         {"/../etc/passwd", "/%2e%2e/etc/passwd", "/assets/../../etc/passwd", "/..%2fetc/passwd",
          "/..%5cetc/passwd", "/%00", "/index.html%00.js", "/assets/%2e%2e/index.html",
          "/.%2e/index.html", "/%252e%252e/etc/passwd", "/.env", "/.git/config", "/%2eenv",
          "/passwd.txt", "/etc/passwd", "//etc/passwd", "/index.html/", "/assets", "/INDEX.HTML"}) {
        auto response = get(std::string(target));
        bool served = target == "/index.html/";  // a trailing slash changes nothing
        EXPECT_EQ(response.status == 200, served) << target;
        EXPECT_TRUE(served || response.status == 404 || response.status == 400) << target;
        EXPECT_FALSE(response.body.contains("root:")) << target;
    }
    EXPECT_EQ(get("/.well-known/security.txt").status, 200);
}

TEST_F(StaticFilesTest, only_reading) {
    auto post = client->send({.method = net::Method::post, .target = "/logo.svg"});
    EXPECT_EQ(post.status, 405);
    EXPECT_EQ(post.header("allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(client->send({.method = net::Method::head, .target = "/logo.svg"}).status, 200);
    EXPECT_EQ(client->send({.method = net::Method::post, .target = "/nothing"}).status, 404);
}

TEST(StaticFiles, a_missing_folder_is_an_error) {
    auto files = StaticFiles::directory("/nowhere/at/all");
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().kind(), ErrorKind::not_found);
}

TEST(StaticFiles, come_from_inside_the_program_too) {
    const EmbeddedFile table[] = {
        {.path = "index.html", .bytes = "<p>page</p>"},
        {.path = "assets/app-0aB1cD2e.css", .bytes = "body{color:red}", .brotli = "short"},
    };
    auto router = make_router(StaticFiles::embedded(table));
    TestClient client(router);
    EXPECT_EQ(client.get("/").body, "<p>page</p>");
    auto css =
        client.send({.target = "/assets/app-0aB1cD2e.css", .headers = {{"accept-encoding", "br"}}});
    EXPECT_EQ(css.body, "short");
    EXPECT_EQ(css.header("content-encoding"), "br");
}

BENNU_SIM_TEST(StaticFiles, long_ones_are_the_same_over_every_connection, sim) {
    std::string picture(300'000, 'p');
    for (std::size_t i = 0; i < picture.size(); i += 3)
        picture[i] = static_cast<char>('a' + i % 23);
    const EmbeddedFile table[] = {{.path = "picture.png", .bytes = picture}};
    const std::string ask = "GET /picture.png HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    const std::string range = "range: bytes=1000-250999\r\n";
    std::string whole, part, whole_secure, part_secure;
    net::Http2Reply whole2, part2;
    finishes(sim, [&]() -> Task<Result<>> {
        auto endpoint = Endpoint::make({}, make_router(StaticFiles::embedded(table))).value();
        net::HttpServerOptions options = endpoint->server_options();
        options.address.port = 8080;
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto plain = co_await require(co_await start<net::HttpServer>({}, options, handler));
        const net::TlsCertificate certificate = net::make_test_certificate({"localhost"});
        options.address.port = 8443;
        options.tls = net::TlsOptions{.certificates = {certificate}};
        auto secure = co_await require(co_await start<net::HttpServer>({}, options, handler));
        const SocketAddress address = co_await call(plain, net::HttpServer::Address{});
        const SocketAddress safe = co_await call(secure, net::HttpServer::Address{});
        auto tls = net::TlsContext::client({.authorities = certificate.certificate}).value();

        whole = co_await net::exchange(address, ask + "\r\n");
        part = co_await net::exchange(address, ask + range + "\r\n");
        whole_secure = co_await net::exchange(safe, ask + "\r\n", tls);
        part_secure = co_await net::exchange(safe, ask + range + "\r\n", tls);
        auto two = co_await require(co_await start<net::Http2Client>({}, address));
        whole2 = co_await call(two, net::Http2Client::Ask{{{":path", "/picture.png"}}});
        part2 = co_await call(two, net::Http2Client::Ask{{{":path", "/picture.png"},
                                                          {"range", "bytes=1000-250999"}}});
        kill(two.pid());
        co_return {};
    });
    const std::string middle = picture.substr(1000, 250'000);
    EXPECT_TRUE(whole.ends_with("\r\n\r\n" + picture));
    EXPECT_TRUE(whole_secure.ends_with("\r\n\r\n" + picture));
    EXPECT_TRUE(whole2.body == picture);
    EXPECT_TRUE(part.starts_with("HTTP/1.1 206 "));
    EXPECT_TRUE(part.ends_with("\r\n\r\n" + middle));
    EXPECT_TRUE(part_secure.ends_with("\r\n\r\n" + middle));
    EXPECT_EQ(part2.status, 206);
    EXPECT_TRUE(part2.body == middle);
}

TEST(StaticFiles, know_digests_from_words) {
    for (std::string_view name :
         {"assets/index-B4rxY9zQ.js", "index-B4rx-9zQ.js", "a.3f2a91cc.css", "a-_4rxY9zQ.css",
          "app-7f8c1d3e9a0b4c5d6e7f8091a2b3c4d5.js", "index-B4rxY9zQ.js.map"}) {
        EXPECT_TRUE(detail::has_digest(name)) << name;
    }
    for (std::string_view name : {"some-document.pdf", "index.html", "a-b.js", "app-1.2.js",
                                  "jquery-3.7.1.min.js", "noextension-B4rxY9zQ", ".js"}) {
        EXPECT_FALSE(detail::has_digest(name)) << name;
    }
}

TEST(Compress, makes_text_smaller) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += "const value" + std::to_string(i) + " = 'some text';\n";
    for (Effort effort : {Effort::quick, Effort::best}) {
        std::string brotli = brotli_compress(text, effort);
        EXPECT_LT(brotli.size(), text.size() / 4);
        EXPECT_LT(gzip_compress(text, effort).size(), text.size() / 4);
        EXPECT_LT(zstd_compress(text, effort).size(), text.size() / 4);
    }
    EXPECT_TRUE(gzip_compress("", Effort::best).starts_with("\x1f\x8b"));
    EXPECT_TRUE(compressible("a.js"));
    EXPECT_FALSE(compressible("a.png"));
}

}  // namespace web_static_test
}  // namespace bennu
