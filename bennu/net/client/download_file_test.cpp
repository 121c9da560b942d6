#include "bennu/net/client/download_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bennu/net/client/cassette.hpp"
#include "bennu/net/client/request_steps.hpp"
#include "bennu/net/client/stub_transport.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net::download_file_test {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string content(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

/// A folder of the test's own, and a server whose body ends as told.
class DownloadFileTest : public testing::Test {
  protected:
    void SetUp() override { fs::create_directories(folder); }
    void TearDown() override { fs::remove_all(folder); }

    enum class Ends { well, broken, never };
    HttpClient client(Ends ends, int status = 200, std::string length = {}) {
        return HttpClient(stub_transport([=](ClientRequest) -> Task<Result<ClientResponse>> {
            ClientResponse answer{.status = status};
            if (!length.empty()) answer.headers.set("content-length", length);
            answer.stream = ClientBody(piece_source(
                [ends, left = 3]() mutable -> Task<Result<std::optional<std::string>>> {
                    co_await sleep(10ms);
                    if (left-- > 0) co_return std::optional<std::string>(std::in_place, 1000, 'x');
                    if (ends == Ends::broken)
                        co_return Error(ErrorKind::closed, "connection_lost", "it broke");
                    if (ends == Ends::never) co_await sleep(1h);
                    co_return std::optional<std::string>();
                }));
            co_return answer;
        }));
    }
    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
    }

    fs::path folder = fs::temp_directory_path() / ("bennu-download-" + std::to_string(::getpid()));
    std::string file = folder / "file";
};

TEST_F(DownloadFileTest, a_whole_file_stands_under_its_name) {
    std::ofstream(file) << "older";
    finishes({}, [&]() -> Task<Result<>> {
        DownloadedFile done =
            co_await require(download_file(client(Ends::well), "http://a.example/", file));
        EXPECT_EQ(done.bytes, 3000u);
        co_return {};
    });
    EXPECT_EQ(content(file), std::string(3000, 'x'));
    EXPECT_EQ(files(), 1u);
}

TEST_F(DownloadFileTest, no_half_file_is_left_whatever_happens) {
    std::ofstream(file) << "older";
    finishes({}, [&]() -> Task<Result<>> {
        auto code = [&](HttpClient from, DownloadOptions options = {}) -> Task<std::string> {
            auto done = co_await download_file(from, "http://a.example/", file, options);
            co_return done ? "done" : std::string(done.error().code());
        };
        EXPECT_EQ(co_await code(client(Ends::broken)), "connection_lost");
        EXPECT_EQ(co_await code(client(Ends::well), {.most = 2999}), "body_too_large");
        EXPECT_EQ(co_await code(client(Ends::well, 200, "9999"), {.most = 3000}), "body_too_large");
        EXPECT_EQ(co_await code(client(Ends::well), {.request = {.max_body = 100}}),
                  "body_too_large");
        EXPECT_EQ(co_await code(client(Ends::never), {.request = {.idle_timeout = 1s}}),
                  "idle_timeout");
        EXPECT_EQ(co_await code(client(Ends::well, 404)), "http_404");
        EXPECT_EQ(co_await code(client(Ends::well, 206)), "http_206");
        // Called off in the middle.
        EXPECT_FALSE(
            co_await within(download_file(client(Ends::never), "http://a.example/", file), 1s));
        co_await sleep(1s);
        auto nowhere = co_await download_file(client(Ends::well), "http://a.example/",
                                              file + "/no/such/folder");
        EXPECT_EQ(nowhere.error().kind(), ErrorKind::io);
        co_return {};
    });
    EXPECT_EQ(content(file), "older");
    EXPECT_EQ(files(), 1u);
}

TEST_F(DownloadFileTest, streams_and_uploads_are_recorded_and_played) {
    const std::string tape = folder / "tape.json";
    for (auto mode : {CassetteOptions::Mode::record, CassetteOptions::Mode::replay}) {
        finishes({}, [&]() -> Task<Result<>> {
            std::shared_ptr<Transport> real;
            if (mode == CassetteOptions::Mode::record) {
                real = stub_transport([](ClientRequest request) -> Task<Result<ClientResponse>> {
                    co_return ClientResponse{.status = 200, .body = "got " + request.body};
                });
            }
            HttpClient some(cassette({.file = tape, .mode = mode}, real));
            std::ofstream(file) << "from a file";
            ClientUpload upload = co_await require(upload_file(file));
            ClientResponse answer =
                co_await require(some.stream(Method::put, "http://a.example/", {.upload = upload}));
            EXPECT_EQ(co_await require(answer.stream.rest(100)), "got from a file");
            DownloadedFile done = co_await require(download_file(some, "http://a.example/x", file));
            EXPECT_EQ(done.bytes, 4u);
            co_return {};
        });
    }
    EXPECT_EQ(content(file), "got ");
}

}  // namespace bennu::net::download_file_test
