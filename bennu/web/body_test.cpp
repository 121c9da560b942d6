#include <gtest/gtest.h>

#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_body_test {

struct Gadget {
    std::string name;
    int count = 0;
    std::optional<std::string> note;
};
BENNU_RECORD(Gadget, name, count, note)

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->post("/echo", [](Conn conn) { return json(conn, conn.body_params()); });
    router->post("/any", [](Conn conn) { return json(conn, conn.body_json()); });
    router->post("/unread", [](Conn conn) { return no_content(conn); });
    router->post("/checked", [](Conn conn) { return no_content(conn); }, {.plugs = {ParseBody{}}});
    router->post("/gadgets", [](Conn conn) {
        auto gadget = conn.body_as<Gadget>("gadget");
        return gadget ? json_data(conn, 201, *gadget) : error(conn, gadget.error());
    });
    router->post("/upload", [](Conn conn) {
        auto file = conn.take_upload("file");
        if (!file) return error(conn, Error::field("file", "required", "is required"));
        return text(conn, 200,
                    file->filename + "|" + file->content_type + "|" + file->data + "|" +
                        to_json(conn.body_params()));
    });
    return router;
}

TestResponse post(std::string target, std::string type, std::string body) {
    TestClient client(make_router());
    TestRequest request{.method = net::Method::post, .target = std::move(target)};
    if (!type.empty()) request.headers.emplace_back("content-type", std::move(type));
    request.body = std::move(body);
    return client.send(std::move(request));
}

// proves 2.4
TEST(Body, failures_have_their_status) {
    struct Row {
        std::string target, type, body;
        int status;
        std::string code;
    };
    const std::string json = "application/json";
    std::string deep(200, '[');
    deep = "{\"a\":" + deep;
    const Row rows[] = {
        {"/echo", json, R"({"a":1})", 200, ""},
        {"/echo", "application/json; charset=utf-8", R"({"a":1})", 200, ""},
        {"/echo", json, "\xef\xbb\xbf{\"a\":1}", 200, ""},
        {"/echo", json, "\xef\xbb\xbf\xef\xbb\xbf{}", 400, "malformed_json"},
        {"/echo", json, "\xef\xbb\xbf", 400, "malformed_json"},
        {"/echo", json, R"({"a":"\ud83d"})", 200, ""},
        {"/echo", "application/vnd.api+json", R"({"a":1})", 200, ""},
        {"/echo", "", "", 200, ""},
        {"/echo", json, "", 200, ""},
        {"/echo", json, R"({"a":)", 400, "malformed_json"},
        {"/echo", json, R"({"a":1,"a":2})", 400, "duplicate_key"},
        {"/echo", json, "{\"a\":\"\xff\"}", 400, "invalid_utf8"},
        {"/echo", json, deep, 400, "too_deep"},
        {"/echo", json, "[1]", 422, "type"},
        {"/echo", json, "null", 422, "type"},
        {"/echo", "", R"({"a":1})", 415, "unsupported_media_type"},
        {"/echo", "text/plain", R"({"a":1})", 415, "unsupported_media_type"},
        {"/echo", "application/jsonx", R"({"a":1})", 415, "unsupported_media_type"},
        {"/echo", "application/json; charset=utf-16", R"({"a":1})", 415, "unsupported_media_type"},
        {"/echo", "application/x-www-form-urlencoded", "a=%zz", 400, "bad_percent_encoding"},
        {"/echo", "application/x-www-form-urlencoded", "a=1&a[b]=2", 400, "conflicting_parameter"},
        {"/any", json, "[1,2]", 200, ""},
        {"/any", "text/csv", "[1,2]", 415, "unsupported_media_type"},
        {"/any", json, "", 400, "malformed_json"},
        {"/unread", "text/plain", "whatever", 204, ""},
        {"/checked", "text/plain", "whatever", 415, "unsupported_media_type"},
        {"/checked", json, "{", 400, "malformed_json"},
        {"/checked", json, "{}", 204, ""},
    };
    for (const Row& row : rows) {
        auto response = post(row.target, row.type, row.body);
        EXPECT_EQ(response.status, row.status) << row.type << " " << row.body;
        if (row.code.empty()) continue;
        EXPECT_EQ(response.json()["errors"][0]["code"], Json(row.code)) << response.body;
    }
}

TEST(Body, records_are_read_from_json_and_forms) {
    auto json = post("/gadgets", "application/json", R"({"gadget":{"name":"a","count":3}})");
    EXPECT_EQ(json.status, 201);
    EXPECT_EQ(json.body, R"({"data":{"name":"a","count":3,"note":null}})");
    auto form =
        post("/gadgets", "application/x-www-form-urlencoded", "gadget[name]=a+b&gadget[count]=3");
    EXPECT_EQ(form.body, R"({"data":{"name":"a b","count":3,"note":null}})");
}

TEST(Body, errors_name_the_field) {
    struct Row {
        std::string body;
        std::string field, code;
    };
    const Row rows[] = {
        {R"({"gadget":{"count":3}})", "gadget.name", "required"},
        {R"({"gadget":{"name":"a","count":"x"}})", "gadget.count", "type"},
        {R"({"gadget":{"name":"a","count":1,"colour":"red"}})", "gadget.colour", "unknown"},
        {R"({})", "gadget", "required"},
        {R"({"gadget":7})", "gadget", "type"},
    };
    for (const Row& row : rows) {
        auto response = post("/gadgets", "application/json", row.body);
        EXPECT_EQ(response.status, 422) << row.body;
        EXPECT_EQ(response.json()["errors"][0]["field"], Json(row.field)) << response.body;
        EXPECT_EQ(response.json()["errors"][0]["code"], Json(row.code)) << response.body;
    }
}

TEST(Body, uploads_are_in_memory) {
    const std::string body =
        "--X\r\ncontent-disposition: form-data; name=\"note[a]\"\r\n\r\nhello & you\r\n"
        "--X\r\ncontent-disposition: form-data; name=\"file\"; filename=\"dir/a.csv\"\r\n"
        "content-type: text/csv\r\n\r\nx,y\r\n1,2\r\n"
        "--X\r\ncontent-disposition: form-data; name=\"other\"; filename=\"\"\r\n\r\n\r\n--X--\r\n";
    auto response = post("/upload", "multipart/form-data; boundary=X", body);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "a.csv|text/csv|x,y\r\n1,2|{\"note\":{\"a\":\"hello & you\"}}");
    EXPECT_EQ(post("/upload", "multipart/form-data; boundary=X", "--X--\r\n").status, 422);
    EXPECT_EQ(post("/upload", "multipart/form-data; boundary=X", body.substr(0, 90)).status, 400);
    EXPECT_EQ(post("/upload", "multipart/form-data", body).status, 400);
}

}  // namespace web_body_test
}  // namespace bennu
