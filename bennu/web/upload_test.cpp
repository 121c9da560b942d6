#include "bennu/web/upload.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"
#include "bennu/web/upload_folder.hpp"

namespace bennu::upload_test {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// A folder of a test, with the endpoint's own below it.
class Folder {
  public:
    Folder() {
        std::string name = fs::temp_directory_path() / "bennu_upload_XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::string& path() const { return path_; }
    std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
    /// Below it, however deep.
    int files() const {
        int count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(path_))
            count += entry.is_regular_file();
        return count;
    }

  private:
    std::string path_;
};

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string file_part(std::string name, std::string filename, std::string_view bytes) {
    return "--X\r\ncontent-disposition: form-data; name=\"" + std::move(name) + "\"; filename=\"" +
           std::move(filename) + "\"\r\ncontent-type: text/csv\r\n\r\n" + std::string(bytes) +
           "\r\n";
}
std::string field_part(std::string name, std::string_view value) {
    return "--X\r\ncontent-disposition: form-data; name=\"" + std::move(name) + "\"\r\n\r\n" +
           std::string(value) + "\r\n";
}

TestRequest form(std::string target, std::string body) {
    return {.method = net::Method::post,
            .target = std::move(target),
            .headers = {{"content-type", "multipart/form-data; boundary=X"}},
            .body = std::move(body) + "--X--\r\n"};
}

/// Where photos are kept.
struct Photos {
    std::string folder;
};

Task<Response> add_photo(Conn conn) {
    std::optional<Upload> photo = conn.take_upload("photo");
    if (!photo) co_return error(conn, Error::field("photo", "required", "is required"));
    // The client's names are for people, never for paths.
    Result<> kept = co_await photo->move_to(conn.get<Photos>().folder + "/" + to_string(new_id()));
    if (!kept) co_return error(conn, kept.error());
    co_return json(conn, Json::object({{"filename", photo->filename},
                                       {"type", photo->content_type},
                                       {"size", static_cast<std::int64_t>(photo->size)},
                                       {"fields", conn.body_params()}}));
}

Task<Response> look(Conn conn) {
    std::string out;
    for (const Upload& file : conn.uploads()) {
        const std::string content = content_of(file.path);
        out += file.name + "|" + file.filename + "|" + std::to_string(file.size) + "|" +
               (content.size() == file.size ? content.substr(0, 20) : "short") + "\n";
    }
    co_return text(conn, 200, out + to_json(conn.body_params()) + std::string(conn.body()));
}

std::shared_ptr<Router> make_router(const Folder& folder) {
    auto router = std::make_shared<Router>();
    const UploadOptions small{.file_bytes = 1000,
                              .parts = 4,
                              .fields = 2,
                              .field_bytes = 50,
                              .header_bytes = 200,
                              .body_types = {"text/csv"}};
    router->post("/look", look, {.body_limit = 20'000'000, .uploads = UploadOptions{}});
    router->post("/small", look, {.uploads = small});
    Pipeline app = {[folder = folder / "photos"](Conn conn) { conn.assign(Photos{folder}); }};
    router->scope("", app, [](RouteScope& site) {
        site.post("/photos", add_photo,
                  {.body_limit = 50'000'000,
                   .uploads = UploadOptions{.file_bytes = 10'000'000, .fields = 20}});
        site.post("/memory", add_photo);
    });
    router->post("/crash",
                 [](Conn conn) -> Response {
                     EXPECT_TRUE(fs::exists(conn.uploads()[0].path));
                     throw std::runtime_error("told to");
                 },
                 {.uploads = UploadOptions{}});
    router->post("/slow",
                 [](Conn conn) -> Task<Response> {
                     EXPECT_TRUE(fs::exists(conn.uploads()[0].path));
                     co_await sleep(1h);
                     co_return no_content(conn);
                 },
                 {.uploads = UploadOptions{}, .time_limit = 1s});
    auto refuse = [](Conn conn) { return std::optional(error_status(conn, 403, "no", "No.")); };
    struct Guard {
        decltype(refuse) before_;
        std::optional<Response> before(Conn conn) const { return before_(std::move(conn)); }
        static bool needs_body(const Conn&) { return false; }
    };
    router->post("/guarded", look, {.uploads = UploadOptions{}, .plugs = {Guard{refuse}}});
    return router;
}

TestResponse send(const Folder& folder, TestRequest request, EndpointOptions options = {}) {
    options.upload_folder = folder / "tmp";
    TestClient client(make_router(folder), std::move(options));
    return client.send(std::move(request));
}

TEST(Uploads, files_are_on_disk_while_their_request_runs) {
    Folder folder;
    const std::string big(1'000'000, 'b');
    auto response =
        send(folder, form("/look", field_part("note[a]", "hello & you") +
                                       file_part("file", "dir/a.csv", "x,y\r\n1,2") +
                                       file_part("big", "b.bin", big) + file_part("none", "", "")));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "file|a.csv|8|x,y\r\n1,2\nbig|b.bin|1000000|" + std::string(20, 'b') +
                                 "\n{\"note\":{\"a\":\"hello & you\"}}");
    EXPECT_EQ(folder.files(), 0);
}

TEST(Uploads, an_empty_file_is_a_file) {
    Folder folder;
    EXPECT_EQ(send(folder, form("/look", file_part("file", "a", ""))).body, "file|a|0|\n{}");
}

TEST(Uploads, move_to_gives_a_file_away) {
    for (const char* target : {"/photos", "/memory"}) {
        Folder folder;
        fs::create_directory(folder / "photos");
        auto response =
            send(folder, form(target, file_part("photo", "a.csv", "1,2") + field_part("a", "b")));
        EXPECT_EQ(response.body,
                  R"({"filename":"a.csv","type":"text/csv","size":3,"fields":{"a":"b"}})");
        ASSERT_EQ(folder.files(), 1);
        EXPECT_EQ(content_of(fs::directory_iterator(folder / "photos")->path()), "1,2");
        EXPECT_EQ(send(folder, form(target, "")).status, 422);
        // Where it cannot be kept, it goes.
        fs::remove_all(folder / "photos");
        EXPECT_EQ(send(folder, form(target, file_part("photo", "a", "1"))).status, 500);
        EXPECT_EQ(folder.files(), 0);
    }
}

TEST(Uploads, a_move_to_another_file_system_copies) {
    Folder folder;
    auto other = fs::path("/dev/shm") / fs::path(folder.path()).filename();
    if (::access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "there is no other file system";
    const std::string bytes(600'000, 'z');
    simulate({}, [&]() -> Task<Result<>> {
        auto uploads = detail::UploadFolder::open(folder.path(), 1'000'000).value();
        auto file = detail::UploadFile::create(uploads).value();
        EXPECT_TRUE(file->append(bytes) && file->close());
        EXPECT_TRUE(file->move_to(other));
        co_return Result<>();
    });
    EXPECT_EQ(content_of(other), bytes);
    fs::remove(other);
    EXPECT_EQ(folder.files(), 0);
}

TEST(Uploads, limits_are_said_with_the_field) {
    struct Row {
        std::string body;
        int status;
        std::string code, field = {};
    };
    const std::string long_head(300, 'h');
    std::string fields, parts;
    for (int i = 0; i < 3; ++i) fields += field_part(std::to_string(i), "x");
    for (int i = 0; i < 5; ++i) parts += file_part(std::to_string(i), "f", "x");
    const Row rows[] = {
        {file_part("photo", "a", std::string(1000, 'x')), 200, ""},
        {file_part("photo", "a", std::string(1001, 'x')), 413, "too_large", "photo"},
        {field_part("note", std::string(50, 'x')), 200, ""},
        {field_part("note", std::string(51, 'x')), 413, "too_large", "note"},
        {fields, 413, "too_many_fields"},
        {parts, 413, "too_many_parts"},
        {file_part("photo", long_head, "x"), 413, "part_headers_too_large"},
        {"--X\r\nnonsense\r\n\r\n", 400, "bad_part_header"},
        {file_part("photo", "a", "x") + "--Xy", 400, "bad_boundary"},
        {field_part("a", "1") + field_part("a[b]", "2"), 400, "conflicting_parameter"},
    };
    for (const Row& row : rows) {
        Folder folder;
        auto response = send(folder, form("/small", row.body));
        EXPECT_EQ(response.status, row.status) << row.body;
        EXPECT_EQ(folder.files(), 0);
        if (row.code.empty()) continue;
        EXPECT_EQ(response.json()["errors"][0]["code"], Json(row.code)) << response.body;
        if (!row.field.empty()) EXPECT_EQ(response.json()["errors"][0]["field"], Json(row.field));
    }
    Folder folder;
    TestRequest cut = form("/small", file_part("photo", "a", "x"));
    cut.body.resize(cut.body.size() - 8);
    EXPECT_EQ(send(folder, std::move(cut)).json()["errors"][0]["code"],
              Json("truncated_multipart"));
    TestRequest compressed = form("/small", "");
    compressed.headers.emplace_back("content-encoding", "gzip");
    EXPECT_EQ(send(folder, std::move(compressed)).status, 415);
}

TEST(Uploads, a_body_may_be_a_file_itself_and_others_are_read_as_elsewhere) {
    Folder folder;
    TestRequest csv{.method = net::Method::post,
                    .target = "/small",
                    .headers = {{"content-type", "Text/CSV; charset=utf-8"}},
                    .body = "a,b"};
    EXPECT_EQ(send(folder, csv).body, "body||3|a,b\n{}");
    csv.body = std::string(1001, 'x');
    EXPECT_EQ(send(folder, csv).status, 413);
    TestRequest json{.method = net::Method::post,
                     .target = "/look",
                     .headers = {{"content-type", "application/json"}},
                     .body = R"({"a":1})"};
    EXPECT_EQ(send(folder, json).body, R"({"a":1}{"a":1})");
    // Its body limit is for files.
    json.body = "{\"a\":\"" + std::string(2000, 'x') + "\"}";
    EXPECT_EQ(send(folder, json, {.max_body = 1000}).status, 413);
    EXPECT_EQ(folder.files(), 0);
}

TEST(Uploads, plugs_that_need_no_body_refuse_before_it_is_read) {
    Folder folder;
    // Malformed, if anybody looked.
    EXPECT_EQ(send(folder, form("/guarded", "nonsense")).status, 403);
}

TEST(Uploads, files_go_when_the_action_crashes_or_takes_too_long) {
    Folder folder;
    EXPECT_EQ(send(folder, form("/crash", file_part("file", "a", "x"))).status, 500);
    EXPECT_EQ(folder.files(), 0);
    EXPECT_EQ(send(folder, form("/slow", file_part("file", "a", "x"))).status, 504);
    EXPECT_EQ(folder.files(), 0);
}

TEST(Uploads, take_no_more_of_the_disk_than_they_may) {
    Folder folder;
    const std::string body = file_part("file", "a", std::string(300'000, 'x'));
    auto response = send(folder, form("/look", body), {.upload_space = 200'000});
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.json()["errors"][0]["code"], Json("no_space"));
    EXPECT_EQ(folder.files(), 0);
    EXPECT_EQ(send(folder, form("/look", body), {.upload_space = 300'000}).status, 200);
}

TEST(Uploads, a_full_disk_is_said_and_nothing_stays) {
    Folder folder;
    const pid_t child = ::fork();
    if (child == 0) {
        // Writing over a limit of the process fails as it does on a full disk.
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100'000, 100'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const std::string body = file_part("file", "a", std::string(300'000, 'x'));
        const TestResponse response = send(folder, form("/look", body));
        const bool said = response.status == 503 && response.body.contains("no_space");
        ::_exit(said && folder.files() == 0 ? 0 : 1);
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(Uploads, the_next_process_removes_what_a_kill_left_behind) {
    Folder folder;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        auto uploads = detail::UploadFolder::open(folder.path(), 1000).value();
        auto file = detail::UploadFile::create(uploads).value();
        (void)file->append("left");
        (void)!::write(ready[1], "x", 1);
        while (true) ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    // What a living process has stays.
    { auto uploads = detail::UploadFolder::open(folder.path(), 1000).value(); }
    EXPECT_EQ(folder.files(), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(folder.files(), 1);
    auto uploads = detail::UploadFolder::open(folder.path(), 1000).value();
    EXPECT_EQ(folder.files(), 0);
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(Uploads, a_folder_that_others_can_reach_is_refused) {
    Folder folder;
    const std::string shared = folder / ("bennu-uploads-" + std::to_string(::geteuid()));
    fs::create_directory(shared);
    fs::permissions(shared, fs::perms::all);
    EXPECT_FALSE(detail::UploadFolder::open(folder.path(), 1000));
    fs::remove(shared);
    fs::create_symlink("/tmp", shared);
    EXPECT_FALSE(detail::UploadFolder::open(folder.path(), 1000));
}

/// Runs `client` against an endpoint on a simulated network; afterwards nothing may be left.
void serve(SimOptions sim, const Folder& folder, Function<Task<>(SocketAddress)> client) {
    EndpointOptions options{.port = 8000, .upload_folder = folder / "tmp"};
    auto outcome = simulate(sim, [&]() -> Task<Result<>> {
        auto endpoint = Endpoint::make(options, make_router(folder)).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await require(
            co_await start<net::HttpServer>({}, endpoint->server_options(), handler));
        co_await client({"127.0.0.1", 8000});
        EXPECT_EQ(folder.files(), 0);
        co_await stop_and_wait(server.pid(), 30s);
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

TEST(Uploads, files_go_with_a_runtime_that_ends_under_them) {
    Folder folder;
    auto uploads = detail::UploadFolder::open(folder.path(), 1000).value();
    simulate({}, [&]() -> Task<Result<>> {
        spawn_task([file = detail::UploadFile::create(uploads).value()]() -> Task<> {
            co_await sleep(1h);
            EXPECT_EQ(file, nullptr);
        });
        co_await sleep(1s);
        EXPECT_EQ(folder.files(), 1);
        co_return Result<>();
    });
    EXPECT_EQ(folder.files(), 0);
}

std::string post_head(std::string_view path, std::size_t length) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=X\r\n"
           "Content-Length: " +
           std::to_string(length) + "\r\n";
}

BENNU_SIM_TEST(Uploads, come_over_http_1, sim) {
    Folder folder;
    serve(sim, folder, [&](SocketAddress address) -> Task<> {
        const std::string body =
            file_part("file", "a", std::string(300'000, 'x')) + "--X--\r\nthe end";
        std::string answers = co_await net::exchange(
            address, post_head("/look", body.size()) + "\r\n" + body +
                         post_head("/look", body.size()) + "Connection: close\r\n\r\n" + body);
        const std::size_t first = answers.find("file|a|300000|xxx");
        EXPECT_NE(first, std::string::npos) << answers;
        EXPECT_NE(answers.find("file|a|300000|xxx", first + 1), std::string::npos) << answers;
        co_await sleep(1s);
    });
}

BENNU_SIM_TEST(Uploads, go_with_a_client_that_goes, sim) {
    Folder folder;
    serve(sim, folder, [&](SocketAddress address) -> Task<> {
        const std::string part = file_part("file", "a", std::string(300'000, 'x'));
        auto client = (co_await start<net::RawClient>({}, address)).value();
        cast(client, net::RawClient::Send{post_head("/look", 5'000'000) + "\r\n" + part});
        co_await sleep(3s);
        EXPECT_EQ(folder.files(), 1);
        cast(client, net::RawClient::Disconnect{});
        co_await sleep(3s);
        EXPECT_EQ(folder.files(), 0);
        // One that stays silent is let go, too.
        const std::string late =
            co_await net::exchange(address, post_head("/look", 5'000'000) + "\r\n" + part);
        EXPECT_TRUE(late.starts_with("HTTP/1.1 408 ")) << late;
        co_await sleep(3s);
    });
}

BENNU_SIM_TEST(Uploads, come_over_http_2, sim) {
    Folder folder;
    serve(sim, folder, [&](SocketAddress address) -> Task<> {
        auto client = (co_await start<net::Http2Client>({}, address)).value();
        const net::Http2Client::Fields head = {{":method", "POST"},
                                               {":path", "/look"},
                                               {"content-type", "multipart/form-data; boundary=X"}};
        const std::string part = file_part("file", "a", std::string(300'000, 'x'));
        auto answer = co_await call(client, net::Http2Client::Ask{head, part + "--X--\r\n"});
        EXPECT_EQ(answer.status, 200);
        EXPECT_TRUE(answer.body.contains("file|a|300000|xxx")) << answer.body;
        const auto stream = co_await call(client, net::Http2Client::Begin{head});
        cast(client, net::Http2Client::Send{stream, part});
        co_await sleep(3s);
        EXPECT_EQ(folder.files(), 1);
        cast(client, net::Http2Client::Reset{stream});
        co_await sleep(3s);
    });
}

std::string output_of(const std::string& command) {
    std::string text;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    char buffer[4096];
    while (std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe))
        text.append(buffer, count);
    ::pclose(pipe);
    return text;
}

TEST(UploadsMultiShard, curl_sends_forms_over_real_sockets) {
    Folder folder;
    fs::create_directory(folder / "photos");
    const std::string photo = folder / "photo.png";
    std::ofstream(photo) << std::string(9'000'000, 'p');
    std::vector<std::string> said;
    run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        EndpointOptions options{.port = 0, .upload_folder = folder / "tmp"};
        auto endpoint = Endpoint::make(options, make_router(folder)).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await require(
            co_await start<net::HttpServer>({}, endpoint->server_options(), handler));
        const SocketAddress address = co_await call(server, net::HttpServer::Address{});
        const std::string site = " http://127.0.0.1:" + std::to_string(address.port);
        const std::string curl = "curl -sS --max-time 30 -w ' %{http_version} %{http_code}' ";
        const std::string form = "-F photo=@" + photo + " -F tags[]=a -F tags[]=b";
        for (const std::string& command :
             {curl + form + site + "/photos",
              curl + "--http2-prior-knowledge " + form + site + "/photos",
              curl + form + site + "/nothing"}) {
            said.push_back(co_await offload([command] { return output_of(command); }));
        }
        co_await stop_and_wait(server.pid(), 5s);
        co_return Result<>();
    });
    ASSERT_EQ(said.size(), 3U);
    const std::string answer = R"({"filename":"photo.png","type":"image/png","size":9000000,)"
                               R"("fields":{"tags":["a","b"]}})";
    EXPECT_EQ(said[0], answer + " 1.1 200");
    EXPECT_EQ(said[1], answer + " 2 200");
    EXPECT_TRUE(said[2].ends_with(" 1.1 404")) << said[2];
    for (const auto& kept : fs::directory_iterator(folder / "photos"))
        EXPECT_EQ(kept.file_size(), 9'000'000U);
    EXPECT_EQ(folder.files(), 3);
}

}  // namespace bennu::upload_test
