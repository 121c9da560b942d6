#include <gtest/gtest.h>

#include <fstream>

#include "bennu/base/log.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::http_stream_test {

using namespace std::chrono_literals;

/// Streams the body of every request with one, and answers in ways that the target names.
struct Streamer : TestHandler {
    std::string path = {};  ///< of a file to send

    BodyPlan body_plan(const RequestHead& head) const override {
        if (head.target() == "/gathered") return {.limit = 1000};
        return {.limit = 1'000'000, .delivery = BodyPlan::Delivery::streamed};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        std::string_view target = request.head.target();
        if (target == "/count") {
            std::uint64_t bytes = 0;
            while (true) {
                auto piece = co_await request.stream.next();
                if (!piece) co_return broken(piece.error());
                if (!*piece) break;
                EXPECT_FALSE((*piece)->empty());
                bytes += (*piece)->size();
            }
            std::string text = "bytes " + std::to_string(bytes);
            for (auto [name, value] : request.stream.trailers())
                text += " " + std::string(name) + "=" + std::string(value);
            response.body = text;
        } else if (target == "/gathered") {
            response.body = request.body + " " +
                            std::string(request.trailers ? request.trailers->get("x-sum") : "-") +
                            std::string(request.head.headers.get("x-sum"));
        } else if (target == "/slow") {
            co_await sleep(1s);
            auto piece = co_await request.stream.next();
            response.body = piece ? "got it" : "failed";
        } else if (target == "/lines") {
            response.body = produce::lines();
        } else if (target == "/echo") {
            response.body = produce::echo(request.stream);
        } else if (target == "/flood") {
            response.body = produce::flood(1000);
        } else if (target == "/crash") {
            response.body = produce::crash();
        } else if (target == "/endless") {
            response.body = produce::endless();
        } else if (target == "/file") {
            auto file = co_await offload([name = path] { return OpenFile::open(name); });
            if (!file) co_return broken(file.error());
            response.body = FileBody{*file, 10, (*file)->size() - 10};
        } else if (target == "/short") {
            auto file = co_await offload([name = path] { return OpenFile::open(name); });
            response.body = FileBody{*file, 0, (*file)->size() + 5};
        } else {
            response.body = "ignored";
        }
        co_return response;
    }
    static HttpResponse broken(const Error& error) {
        HttpResponse response;
        response.status = error.kind() == ErrorKind::timeout ? 408 : 400;
        response.body = "broken " + std::string(error.code());
        return response;
    }
};

SimOutcome serve(SimOptions sim, HttpServerOptions options, std::string file,
                 Function<Task<>(SocketAddress)> client) {
    auto streamer = std::make_shared<Streamer>();
    streamer->path = std::move(file);
    return net::serve(sim, options, std::move(streamer), std::move(client));
}

std::string post(std::string_view target, std::string_view fields, std::string_view body) {
    return "POST " + std::string(target) + " HTTP/1.1\r\nhost: x\r\n" + std::string(fields) +
           "\r\n" + std::string(body);
}
std::string sized(std::string_view target, std::string_view body) {
    return post(target, "content-length: " + std::to_string(body.size()) + "\r\n", body);
}
std::string get(std::string_view target, std::string_view fields = "connection: close\r\n") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nhost: x\r\n" + std::string(fields) + "\r\n";
}

/// The chunks of the last answer, joined; nothing when they do not end as they should.
std::optional<std::string> dechunked(std::string_view answers) {
    std::size_t at = answers.rfind("transfer-encoding: chunked\r\n");
    if (at == std::string_view::npos) return std::nullopt;
    at = answers.find("\r\n\r\n", at) + 4;
    std::string text;
    while (at < answers.size()) {
        std::size_t size = std::stoul(std::string(answers.substr(at, 8)), nullptr, 16);
        at = answers.find("\r\n", at) + 2;
        if (size == 0) return answers.substr(at) == "\r\n" ? std::optional(text) : std::nullopt;
        if (at + size + 2 > answers.size()) return std::nullopt;
        text += answers.substr(at, size);
        at += size + 2;
    }
    return std::nullopt;
}

bool ordered(std::string_view text, std::initializer_list<std::string_view> parts) {
    for (std::string_view part : parts) {
        std::size_t at = text.find(part);
        if (at == std::string_view::npos) return false;
        text.remove_prefix(at + part.size());
    }
    return true;
}

BENNU_SIM_TEST(HttpUpload, bodies_are_read_as_they_come_and_the_pipeline_goes_on, options) {
    std::string answers;
    SimOutcome outcome = serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        answers = co_await exchange(
            address, sized("/count", std::string(300'000, 'a')) +
                         post("/count", "transfer-encoding: chunked\r\n",
                              "5\r\nhello\r\n3\r\nabc\r\n0\r\nX-Sum: 8\r\nHost: evil\r\n\r\n") +
                         post("/gathered", "transfer-encoding: chunked\r\n",
                              "2\r\nhi\r\n0\r\nX-Sum: 2\r\n\r\n") +
                         get("/last"));
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_TRUE(ordered(answers, {"bytes 300000", "bytes 8 X-Sum=8\r\n"}) ||
                ordered(answers, {"bytes 300000", "bytes 8 X-Sum=8HTTP", "hi 2HTTP", "ignored"}))
        << answers;
}

BENNU_SIM_TEST(HttpUpload, what_is_not_read_is_skipped_or_ends_the_connection, options) {
    std::string little, much, chunks;
    serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        little = co_await exchange(address, sized("/x", std::string(50'000, 'a')) + get("/last"));
        much = co_await exchange(address, sized("/x", std::string(100'000, 'a')) + get("/last"));
        std::string many;
        for (int i = 0; i < 20; ++i) many += "1000\r\n" + std::string(4096, 'c') + "\r\n";
        chunks = co_await exchange(
            address, post("/x", "transfer-encoding: chunked\r\n", many + "0\r\n\r\n") + get("/b"));
    });
    EXPECT_TRUE(ordered(little, {"ignored", "200 OK", "ignored"})) << little;
    EXPECT_TRUE(ordered(much, {"connection: close", "ignored"})) << much;
    EXPECT_FALSE(ordered(much, {"200 OK", "200 OK"})) << much;
    EXPECT_FALSE(ordered(chunks, {"200 OK", "200 OK"})) << chunks;
}

BENNU_SIM_TEST(HttpUpload, continues_only_when_the_reader_asks, options) {
    std::string asked, unasked;
    serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        std::string head = "content-length: 3\r\nexpect: 100-continue\r\n";
        auto client = co_await start<RawClient>({}, address);
        cast(*client, RawClient::Send{post("/count", head, "")});
        asked = co_await call(*client, RawClient::ReadUntil{"100 Continue\r\n\r\n"});
        cast(*client, RawClient::Send{"abc"});
        asked = co_await call(*client, RawClient::ReadUntil{"bytes 3"});
        unasked = co_await exchange(address, post("/x", head, ""));
    });
    EXPECT_TRUE(ordered(asked, {"100 Continue", "200 OK", "bytes 3"})) << asked;
    EXPECT_FALSE(unasked.contains("100 Continue"));
    EXPECT_TRUE(ordered(unasked, {"200 OK", "connection: close", "ignored"})) << unasked;
}

BENNU_SIM_TEST(HttpUpload, too_large_malformed_and_vanished_bodies_are_errors_of_the_reader,
               options) {
    std::string large, announced, bad;
    serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        std::string head = "transfer-encoding: chunked\r\n";
        large = co_await exchange(address, post("/count", head, "F4241\r\n"));
        announced = co_await exchange(address, post("/count", "content-length: 1000001\r\n", ""));
        bad = co_await exchange(address, post("/count", head, "3\r\nabcd") + get("/never"));
    });
    EXPECT_TRUE(ordered(large, {"400 ", "connection: close", "broken body_too_large"})) << large;
    EXPECT_TRUE(announced.starts_with("HTTP/1.1 413 ")) << announced;
    EXPECT_TRUE(ordered(bad, {"400 ", "connection: close", "broken bad_chunk"})) << bad;
    EXPECT_FALSE(bad.contains("200 OK"));
}

/// Sends one byte of a body each second, and tells what came back and when.
Task<std::string> drip(SocketAddress address, std::string target, Duration every, int count) {
    auto client = co_await start<RawClient>({}, address);
    cast(*client, RawClient::Send{post(target, "content-length: 1000\r\n", "")});
    for (int i = 0; i < count; ++i) {
        co_await sleep(every);
        cast(*client, RawClient::Send{"x"});
    }
    co_return co_await call(*client, RawClient::ReadAll{}, {.timeout = 200s});
}

TEST(HttpUpload, dripping_bodies_are_cut_off_after_the_grace) {
    std::string streamed, gathered, silent;
    Duration took{};
    serve({}, {}, {}, [&](SocketAddress address) -> Task<> {
        Instant from = now();
        streamed = co_await drip(address, "/count", 1s, 15);
        took = now() - from;
        gathered = co_await drip(address, "/gathered", 1s, 15);
    });
    EXPECT_TRUE(streamed.starts_with("HTTP/1.1 408 ")) << streamed;
    EXPECT_TRUE(gathered.starts_with("HTTP/1.1 408 ")) << gathered;
    EXPECT_LT(took, 20s);
    serve({}, {.body_timeout = 5s, .min_body_rate = 0}, {}, [&](SocketAddress address) -> Task<> {
        silent = co_await drip(address, "/count", 1s, 1);
    });
    EXPECT_TRUE(silent.starts_with("HTTP/1.1 408 ")) << silent;
}

BENNU_SIM_TEST(HttpUpload, time_in_which_nobody_reads_is_not_the_clients, options) {
    std::string answer;
    serve(options, {.body_timeout = 500ms, .body_rate_grace = 500ms}, {},
          [&](SocketAddress address) -> Task<> {
              answer = co_await exchange(
                  address, post("/slow", "content-length: 3\r\nconnection: close\r\n", "abc"));
          });
    EXPECT_TRUE(answer.contains("got it")) << answer;
}

BENNU_SIM_TEST(HttpDownload, producers_are_chunked_and_the_connection_lives_on, options) {
    std::string answers, old, head;
    SimOutcome outcome = serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        answers = co_await exchange(address, get("/lines", "") + get("/lines"));
        old = co_await exchange(address, "GET /lines HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
        head = co_await exchange(address, "HEAD /lines HTTP/1.1\r\nhost: x\r\n\r\n" + get("/x"));
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_TRUE(ordered(answers, {"line 0", "line 2", "0\r\n\r\nHTTP/1.1 200 OK"})) << answers;
    EXPECT_EQ(dechunked(answers), "line 0\nline 1\nline 2\n");
    EXPECT_TRUE(ordered(old, {"connection: close\r\n", "\r\nline 0\nline 1\nline 2\n"})) << old;
    EXPECT_FALSE(old.contains("chunked"));
    EXPECT_TRUE(ordered(head, {"chunked\r\n\r\nHTTP/1.1 200 OK", "ignored"})) << head;
}

BENNU_SIM_TEST(HttpDownload, a_body_may_be_answered_while_it_is_read, options) {
    std::string answers, body(200'000, 'e');
    for (std::size_t i = 0; i < body.size(); i += 7) body[i] = static_cast<char>('a' + i % 26);
    serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        answers = co_await exchange(
            address, post("/echo", "connection: close\r\ncontent-length: 200000\r\n", body));
    });
    EXPECT_TRUE(dechunked(answers) == body) << answers.size();
}

TEST(HttpDownload, a_fault_leaves_the_answer_without_its_end) {  // proves 3.23
    LogCapture log;
    std::string answer, other;
    serve({}, {}, {}, [&](SocketAddress address) -> Task<> {
        answer = co_await exchange(address, get("/crash", "") + get("/never"));
        other = co_await exchange(address, get("/x"));
    });
    EXPECT_TRUE(ordered(answer, {"200 OK", "begun"})) << answer;
    EXPECT_FALSE(answer.contains("0\r\n\r\n")) << answer;
    EXPECT_FALSE(answer.contains("ignored")) << answer;
    EXPECT_TRUE(log.contains("a streamed answer crashed"));
    EXPECT_TRUE(other.contains("ignored"));
}

/// Asks and never reads.
struct Deaf : Server {
    explicit Deaf(SocketAddress a) : address(std::move(a)) {}
    Task<Result<>> init() {
        stream.adopt(reactor().connect(address).value());
        co_return stream.watch();
    }
    void handle_io(std::uint8_t, Readiness ready) {
        if (ready.writable && !std::exchange(asked, true)) {
            stream.write(get("/flood"));
            (void)stream.flush();
        }
    }
    SocketAddress address;
    TcpStream stream{-1};
    bool asked = false;
};

TEST(HttpDownload, a_client_that_never_reads_is_let_go_and_holds_little) {
    LogCapture log;
    std::size_t connections = 9;
    simulate({}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Streamer>();
        auto server = co_await start<HttpServer>(
            {}, HttpServerOptions{.address = {"127.0.0.1", 8000}}, handler);
        (void)co_await start<Deaf>({}, SocketAddress{"127.0.0.1", 8000});
        co_await sleep(50s);
        EXPECT_EQ(co_await call(*server, HttpServer::Connections{}), 1U);
        co_await sleep(20s);
        connections = co_await call(*server, HttpServer::Connections{});
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    EXPECT_EQ(connections, 0U);
    EXPECT_TRUE(log.contains("does not read"));
    EXPECT_TRUE(log.contains("flood stopped"));
}

BENNU_SIM_TEST(HttpDownload, endless_answers_end_with_the_client_and_with_the_server, options) {
    std::string answer;
    Duration stopping{};
    simulate(options, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Streamer>();
        auto server = co_await start<HttpServer>(
            {}, HttpServerOptions{.address = {"127.0.0.1", 8000}}, handler);
        SocketAddress address{"127.0.0.1", 8000};
        auto leaving = co_await start<RawClient>({}, address);
        cast(*leaving, RawClient::Send{get("/endless", "")});
        (void)co_await call(*leaving, RawClient::ReadUntil{"begun"});
        cast(*leaving, RawClient::Disconnect{});
        co_await sleep(1s);
        EXPECT_EQ(co_await call(*server, HttpServer::Connections{}), 0U);

        auto staying = co_await start<RawClient>({}, address);
        cast(*staying, RawClient::Send{get("/endless", "")});
        (void)co_await call(*staying, RawClient::ReadUntil{"beat"}, {.timeout = 20s});
        Instant from = now();
        co_await stop_and_wait(server->pid(), 30s);
        stopping = now() - from;
        answer = co_await call(*staying, RawClient::ReadAll{});
        co_return {};
    });
    EXPECT_LT(stopping, 5s);
    EXPECT_EQ(dechunked(answer), "begunbeat") << answer;
}

/// A file of 300,010 bytes that goes with the test.
struct TestFile {
    TestFile() {
        std::ofstream out(path);
        out << "0123456789";
        for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
        out << text;
    }
    ~TestFile() { std::remove(path.c_str()); }
    std::string path = testing::TempDir() + "http_stream_test." + std::to_string(::getpid());
    std::string text = std::string(300'000, ' ');
};

BENNU_SIM_TEST(HttpFiles, ranges_of_files_are_sent_whole, options) {
    TestFile file;
    std::string answers;
    serve(options, {}, file.path, [&](SocketAddress address) -> Task<> {
        answers = co_await exchange(
            address, "HEAD /file HTTP/1.1\r\nhost: x\r\n\r\n" + get("/file", "") + get("/x"));
    });
    EXPECT_TRUE(ordered(answers, {"content-length: 300000\r\n", "content-length: 300000\r\n",
                                  file.text, "HTTP/1.1 200 OK", "ignored"}));
}

TEST(HttpFiles, a_file_that_is_shorter_than_announced_ends_the_connection) {
    LogCapture log;
    TestFile file;
    std::string answers;
    serve({}, {}, file.path, [&](SocketAddress address) -> Task<> {
        answers = co_await exchange(address, get("/short", "") + get("/x"));
    });
    EXPECT_TRUE(answers.contains("content-length: 300015\r\n"));
    EXPECT_FALSE(answers.contains("ignored"));
    EXPECT_TRUE(log.contains("a file ended before its announced length"));
}

TEST(HttpFilesMultiShard, the_kernel_sends_them) {
    TestFile file;
    std::string answers;
    run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        auto streamer = std::make_shared<Streamer>();
        streamer->path = file.path;
        std::shared_ptr<const HttpHandler> handler = streamer;
        auto server = co_await start<HttpServer>({}, HttpServerOptions{}, handler);
        SocketAddress address = co_await call(*server, HttpServer::Address{});
        answers = co_await exchange(address, get("/file", "") + get("/lines"));
        co_await stop_and_wait(server->pid(), 5s);
        co_return {};
    });
    EXPECT_TRUE(ordered(answers, {"content-length: 300000\r\n", file.text, "line 2"}));
    EXPECT_EQ(dechunked(answers), "line 0\nline 1\nline 2\n");
}

/// Sends a file to everybody who asks.
struct Sender : Streamer {
    std::shared_ptr<const OpenFile> file = OpenFile::of(std::string(16'000'000, 'f')).value();
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        if (request.head.target() == "/file") response.body = FileBody{file, 0, file->size()};
        co_return response;
    }
};

/// The kernel signals a write to a client that has gone away, unless it is told not to.
TEST(HttpFilesMultiShard, clients_that_go_away_end_nothing_but_their_connection) {
    std::string answer;
    const int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Sender>();
        auto server = co_await start<HttpServer>({}, HttpServerOptions{}, handler);
        SocketAddress address = co_await call(*server, HttpServer::Address{});
        for (int round = 0; round < 5; ++round) {
            std::vector<Ref<RawClient>> clients;
            for (int i = 0; i < 40; ++i) {
                clients.push_back(*co_await start<RawClient>({}, address));
                cast(clients.back(), RawClient::Send{get("/file", "")});
            }
            for (Ref<RawClient> client : clients) {
                (void)co_await call(client, RawClient::ReadUntil{"ffff"});
                kill(client.pid());
            }
        }
        answer = co_await exchange(address, get("/x"));
        co_await stop_and_wait(server->pid(), 20s);
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
}

TEST(HttpFiles, only_regular_files_open) {
    EXPECT_EQ(OpenFile::open("/nonexistent").error().kind(), ErrorKind::not_found);
    EXPECT_EQ(OpenFile::open("/").error().kind(), ErrorKind::not_found);
    EXPECT_EQ(OpenFile::open("/dev/null").error().kind(), ErrorKind::not_found);
}

}  // namespace bennu::net::http_stream_test
