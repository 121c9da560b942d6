#include "bennu/net/client/cassette.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bennu/net/client/http_client.hpp"
#include "bennu/net/client/request_steps.hpp"
#include "bennu/net/client/stub_transport.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::cassette_test {

/// A file of this test's own.
class CassetteTest : public testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove(file); }
    std::string content() const {
        std::ostringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    }
    std::string file = std::filesystem::temp_directory_path() /
                       ("cassette-" + std::to_string(::getpid()) + ".json");
    int asked = 0;

    /// Answers each request with another text.
    std::shared_ptr<Transport> real() {
        return stub_transport([this](ClientRequest) -> Task<Result<ClientResponse>> {
            ClientResponse answer{.status = 200, .body = "answer " + std::to_string(++asked)};
            if (asked == 3) answer.body = std::string("\xff\0\x01", 3);
            answer.headers.add("content-type", "text/plain");
            answer.headers.add("set-cookie", "session=of-somebody");
            co_return answer;
        });
    }
    HttpClient client(CassetteOptions::Mode mode, std::shared_ptr<Transport> transport = {}) {
        return HttpClient(cassette({.file = file, .mode = mode}, std::move(transport)),
                          {bearer(Secret("very-secret"))});
    }
};

using Mode = CassetteOptions::Mode;

TEST_F(CassetteTest, what_was_recorded_is_played_without_the_network) {
    const std::string url = "https://api.example/x?q=1&api_key=hidden-one";
    finishes({}, [&]() -> Task<Result<>> {
        HttpClient recorder = client(Mode::record, real());
        for (int i = 0; i < 3; ++i) co_await require(recorder.get(url));
        co_await require(recorder.post(url, {.body = "sent"}));
        co_return {};
    });
    EXPECT_EQ(asked, 4);
    EXPECT_FALSE(content().contains("very-secret"));
    EXPECT_FALSE(content().contains("hidden-one"));
    EXPECT_FALSE(content().contains("of-somebody"));
    finishes({}, [&]() -> Task<Result<>> {
        HttpClient player = client(Mode::replay);
        EXPECT_EQ((co_await require(player.post(url, {.body = "sent"}))).body, "answer 4");
        EXPECT_EQ((co_await require(player.get(url))).body, "answer 1");
        ClientResponse second = co_await require(player.get(url));
        EXPECT_EQ(second.body, "answer 2");
        EXPECT_EQ(second.headers.get("content-type"), "text/plain");
        EXPECT_EQ((co_await require(player.get(url))).body, std::string("\xff\0\x01", 3));
        Result<ClientResponse> more = co_await player.get(url);
        EXPECT_EQ(more.error().code(), "not_recorded");
        EXPECT_FALSE(more.error().describe().contains("hidden-one"));
        co_return {};
    });
    EXPECT_EQ(asked, 4);
}

TEST_F(CassetteTest, what_is_missing_is_asked_for_and_kept) {
    for (int run = 0; run < 2; ++run) {
        finishes({}, [&]() -> Task<Result<>> {
            HttpClient some = client(Mode::record_missing, real());
            EXPECT_EQ((co_await require(some.get("https://a.example/"))).body, "answer 1");
            co_return {};
        });
    }
    EXPECT_EQ(asked, 1);
}

TEST_F(CassetteTest, a_file_that_is_missing_or_spoilt_is_an_error) {
    finishes({}, [&]() -> Task<Result<>> {
        EXPECT_EQ((co_await client(Mode::replay).get("https://a.example/")).error().code(),
                  "no_cassette");
        std::ofstream(file) << "{\"version\": 1, \"exchanges\": [{\"method\": 3}]}";
        EXPECT_EQ((co_await client(Mode::replay).get("https://a.example/")).error().kind(),
                  ErrorKind::invalid);
        co_return {};
    });
}

}  // namespace bennu::net::cassette_test
