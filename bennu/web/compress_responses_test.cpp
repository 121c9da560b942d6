#include "bennu/web/compress_responses.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "bennu/web/conditional.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_compress_test {

std::string gunzip(const std::string& bytes) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 31), Z_OK);
    std::string out(1 << 20, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

std::string long_text(std::size_t size) {
    std::string out;
    while (out.size() < size) out += "line " + std::to_string(out.size()) + "\n";
    out.resize(size);
    return out;
}

TestClient compressing_client() {
    auto router = std::make_shared<Router>();
    router->plug(CompressResponses{});
    router->get("/text/:size", [](Conn conn) {
        return text(conn, 200, long_text(conn.param<std::size_t>("size")));
    });
    router->get("/tagged", [](Conn conn) {
        return text(conn, 200, long_text(5000))
            .with_header("etag", "\"abc\"")
            .with_header("vary", "Origin");
    });
    auto note = [](Conn conn) {
        const Version version{.etag = "\"7\""};
        if (auto over = if_unchanged(conn, version)) return *std::move(over);
        return text(conn, 200, long_text(5000)).with_header("etag", version.etag);
    };
    router->get("/note", note);
    router->put("/note", note);
    router->get("/kept", [](Conn conn) {
        return text(conn, 200, long_text(5000))
            .with_header("cache-control", "public, no-transform");
    });
    router->get("/encoded", [](Conn conn) {
        return text(conn, 200, long_text(5000)).with_header("content-encoding", "gzip");
    });
    router->get("/part", [](Conn conn) {
        return text(conn, 206, long_text(5000)).with_header("content-range", "bytes 0-4999/9000");
    });
    router->get("/image", [](Conn) { return Response(200, "image/png", long_text(5000)); });
    router->get("/events",
                [](Conn) { return Response(200, "text/event-stream", long_text(5000)); });
    router->get("/secret", [](Conn conn) {
        leave_uncompressed(conn);
        return text(conn, 200, long_text(5000));
    });
    router->get("/shared", [](Conn) {
        static const auto body = make_shared_value<std::string>(long_text(5000));
        return Response(200, json_type, body);
    });
    return TestClient(router);
}

TestResponse fetch(const std::string& target, const std::string& accepts = "gzip") {
    return compressing_client().send({.target = target, .headers = {{"accept-encoding", accepts}}});
}

TEST(CompressResponses, small_beside_the_shard_and_large_off_it) {
    for (std::size_t size : {1024u, 5000u, 32u * 1024, 200'000u}) {
        TestResponse response = fetch("/text/" + std::to_string(size));
        EXPECT_EQ(response.header("content-encoding"), "gzip");
        EXPECT_TRUE(response.headers.has_token("vary", "accept-encoding"));
        EXPECT_LT(response.body.size(), size);
        EXPECT_EQ(gunzip(response.body), long_text(size));
    }
    EXPECT_EQ(gunzip(fetch("/shared").body), long_text(5000));
}

TEST(CompressResponses, the_client_chooses) {
    struct Row {
        std::string accepts;
        std::string_view coding;
    };
    const Row rows[] = {
        {"gzip, deflate, br, zstd", "zstd"},
        {"gzip, br", "br"},
        {"gzip;q=1, br;q=0.5", "gzip"},
        {"*", "zstd"},
        {"*, zstd;q=0", "br"},
        {"deflate", ""},
        {"identity", ""},
        {"gzip;q=0", ""},
        {"identity;q=1, gzip;q=0.5", ""},
        {"", ""},
    };
    for (const Row& row : rows) {
        TestResponse response = fetch("/text/5000", row.accepts);
        EXPECT_EQ(response.header("content-encoding"), row.coding) << row.accepts;
        EXPECT_TRUE(response.headers.has_token("vary", "accept-encoding")) << row.accepts;
    }
}

TEST(CompressResponses, leaves_alone_what_it_should) {
    for (const char* target : {"/text/1023", "/kept", "/part", "/image", "/events", "/secret"}) {
        TestResponse response = fetch(target);
        EXPECT_FALSE(response.headers.contains("content-encoding")) << target;
        EXPECT_FALSE(response.headers.contains("vary")) << target;
        EXPECT_EQ(response.body.substr(0, 6), "line 0") << target;
    }
    EXPECT_EQ(fetch("/encoded").body, long_text(5000));
}

TEST(CompressResponses, an_etag_names_the_coding) {
    TestResponse response = fetch("/tagged");
    EXPECT_EQ(response.header("etag"), "\"abc+gzip\"");
    EXPECT_TRUE(response.headers.has_token("vary", "origin"));
    EXPECT_TRUE(response.headers.has_token("vary", "accept-encoding"));
    EXPECT_EQ(fetch("/tagged", "identity").header("etag"), "\"abc\"");
}

TEST(CompressResponses, what_was_fetched_compressed_can_be_changed_and_asked_for_again) {
    auto send = [](net::Method method, std::string name, std::string tag) {
        return compressing_client().send(
            {.method = method,
             .target = "/note",
             .headers = {{"accept-encoding", "br"}, {std::move(name), std::move(tag)}}});
    };
    const std::string tag(fetch("/note", "br").header("etag"));
    EXPECT_EQ(tag, "\"7+br\"");
    EXPECT_EQ(send(net::Method::put, "if-match", tag).status, 200);
    EXPECT_EQ(send(net::Method::put, "if-match", "\"6+br\"").status, 412);
    EXPECT_EQ(send(net::Method::put, "if-match", "\"7\"").status, 200);
    const TestResponse known = send(net::Method::get, "if-none-match", "\"1\", " + tag);
    EXPECT_EQ(known.status, 304);
    EXPECT_EQ(known.header("etag"), tag);
    EXPECT_EQ(send(net::Method::get, "if-none-match", "\"6+br\"").status, 200);
}

}  // namespace web_compress_test
}  // namespace bennu
