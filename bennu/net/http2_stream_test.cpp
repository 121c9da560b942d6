#include <gtest/gtest.h>

#include <fstream>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::http2_stream_test {

using namespace std::chrono_literals;
using Fields = Http2Client::Fields;

/// Streams the body of every request with one, and answers in ways that the target names.
struct Streamer : TestHandler {
    std::string path = {};  ///< of a file to send

    BodyPlan body_plan(const RequestHead&) const override {
        return {.limit = 2'000'000, .delivery = BodyPlan::Delivery::streamed};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        const std::string target(request.head.target());
        if (target == "/count" || target == "/late") {
            if (target == "/late") co_await sleep(2s);
            std::uint64_t bytes = 0;
            while (true) {
                auto piece = co_await request.stream.next();
                if (!piece) {
                    log_info("upload failed", {{"code", piece.error().code()}});
                    response.status = 400;
                    response.body = "broken " + std::string(piece.error().code());
                    co_return response;
                }
                if (!*piece) break;
                bytes += (*piece)->size();
            }
            response.body = "bytes " + std::to_string(bytes) + " " +
                            std::string(request.stream.trailers().get("x-sum"));
        } else if (target == "/lines") {
            response.body = produce::lines();
        } else if (target == "/echo") {
            response.body = produce::echo(request.stream);
        } else if (target == "/flood") {
            response.body = produce::flood(200);
        } else if (target == "/crash") {
            response.body = produce::crash();
        } else if (target == "/endless") {
            response.body = produce::endless();
        } else if (target == "/file" || target == "/short") {
            auto file = co_await offload([name = path] { return OpenFile::open(name); });
            response.body = target == "/file" ? FileBody{*file, 10, (*file)->size() - 10}
                                              : FileBody{*file, 0, (*file)->size() + 5};
        } else if (target == "/big") {
            response.body = std::string(1'000'000, 'b');
        } else {
            response.body = "ignored";
        }
        co_return response;
    }
};

SimOutcome serve(SimOptions sim, HttpServerOptions options, std::string file,
                 Function<Task<>(SocketAddress)> client) {
    auto streamer = std::make_shared<Streamer>();
    streamer->path = std::move(file);
    return net::serve(sim, options, std::move(streamer), std::move(client));
}

constexpr CallOptions patient{.timeout = 200s};

Http2Client::Ask get(std::string path, std::string method = "GET") {
    return {{{":method", std::move(method)}, {":path", std::move(path)}}};
}
Http2Client::Begin post(std::string path, Fields fields = {}) {
    fields.emplace_back(":method", "POST");
    fields.emplace_back(":path", std::move(path));
    return {std::move(fields)};
}

BENNU_SIM_TEST(Http2Upload, bodies_are_read_as_they_come, options) {
    Http2Reply counted, skipped, echoed;
    serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, post("/count"));
        for (int i = 0; i < 10; ++i)
            cast(*client, Http2Client::Send{id, std::string(100'000, 'x')});
        cast(*client, Http2Client::Send{id, "end", true, {{"x-sum", "42"}}});
        counted = co_await call(*client, Http2Client::Await{id}, patient);
        const auto unread = co_await call(*client, post("/x"));
        cast(*client, Http2Client::Send{unread, std::string(300'000, 'x'), true});
        skipped = co_await call(*client, Http2Client::Await{unread}, patient);
        const auto echo = co_await call(*client, post("/echo"));
        cast(*client, Http2Client::Send{echo, "one"});
        echoed = co_await call(*client, Http2Client::Await{echo, "one"}, patient);
        cast(*client, Http2Client::Send{echo, "two", true});
        echoed = co_await call(*client, Http2Client::Await{echo}, patient);
    });
    EXPECT_EQ(counted.body, "bytes 1000003 42");
    EXPECT_EQ(skipped.body, "ignored");
    EXPECT_TRUE(skipped.ended);
    EXPECT_EQ(skipped.error, 0U);
    EXPECT_EQ(echoed.body, "onetwo");
    EXPECT_TRUE(echoed.ended);
}

TEST(Http2Upload, a_slow_reader_holds_back_its_own_client_only) {
    std::int32_t window = -1;
    Http2Reply late, quick;
    serve({}, {}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, post("/late"));
        cast(*client, Http2Client::Send{id, std::string(1'900'000, 'x'), true});
        co_await sleep(1s);
        window = co_await call(*client, Http2Client::Window{id});
        const auto other = co_await call(*client, post("/count"));
        cast(*client, Http2Client::Send{other, std::string(1'500'000, 'y'), true});
        quick = co_await call(*client, Http2Client::Await{other});
        EXPECT_EQ(co_await call(*client, Http2Client::Window{id}), 0);
        late = co_await call(*client, Http2Client::Await{id}, patient);
    });
    EXPECT_EQ(window, 0);
    EXPECT_EQ(quick.body, "bytes 1500000 ");
    EXPECT_EQ(late.body, "bytes 1900000 ");
}

TEST(Http2Upload, too_large_slow_and_vanished_bodies_are_errors_of_the_reader) {
    LogCapture log;
    Http2Reply large, announced, slow, other;
    serve({}, {.body_timeout = 5s}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, post("/count"));
        cast(*client, Http2Client::Send{id, std::string(2'000'001, 'x')});
        large = co_await call(*client, Http2Client::Await{id}, patient);
        const auto lying = co_await call(*client, post("/count", {{"content-length", "2000001"}}));
        announced = co_await call(*client, Http2Client::Await{lying});
        const auto silent = co_await call(*client, post("/count"));
        slow = co_await call(*client, Http2Client::Await{silent}, patient);
        const auto gone = co_await call(*client, post("/count"));
        cast(*client, Http2Client::Send{gone, "abc"});
        co_await sleep(10ms);
        cast(*client, Http2Client::Reset{gone});
        other = co_await call(*client, get("/other"));
    });
    EXPECT_EQ(large.body, "broken body_too_large");
    EXPECT_EQ(announced.status, 413);
    EXPECT_EQ(slow.body, "broken request_timeout");
    EXPECT_TRUE(log.contains("code=closed"));
    EXPECT_EQ(other.status, 200);
}

BENNU_SIM_TEST(Http2Upload, continues_only_when_the_reader_asks, options) {
    Http2Reply asked, unasked;
    serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, post("/count", {{"expect", "100-continue"}}));
        co_await sleep(100ms);
        cast(*client, Http2Client::Send{id, "abc", true});
        asked = co_await call(*client, Http2Client::Await{id});
        const auto other = co_await call(*client, post("/x", {{"expect", "100-continue"}}));
        unasked = co_await call(*client, Http2Client::Await{other});
    });
    EXPECT_EQ(asked.informational, std::vector<int>{100});
    EXPECT_EQ(asked.body, "bytes 3 ");
    EXPECT_TRUE(unasked.informational.empty());
    EXPECT_EQ(unasked.body, "ignored");
}

BENNU_SIM_TEST(Http2Download, producers_write_while_others_are_answered, options) {
    Http2Reply lines, head, flood;
    serve(options, {}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, Http2Client::Begin{{{":path", "/flood"}}, true});
        lines = co_await call(*client, get("/lines"));
        head = co_await call(*client, get("/lines", "HEAD"));
        flood = co_await call(*client, Http2Client::Await{id}, patient);
    });
    EXPECT_EQ(lines.body, "line 0\nline 1\nline 2\n");
    EXPECT_FALSE(lines.headers.contains("content-length"));
    EXPECT_TRUE(lines.ended);
    EXPECT_EQ(head.body, "");
    EXPECT_TRUE(head.ended);
    EXPECT_EQ(flood.body, std::string(2'000'000, 'f'));
}

TEST(Http2Download, a_fault_leaves_the_answer_without_its_end) {  // proves 3.23
    LogCapture log;
    Http2Reply crash, other;
    serve({}, {}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        crash = co_await call(*client, get("/crash"));
        other = co_await call(*client, get("/x"));
    });
    EXPECT_EQ(crash.status, 200);
    EXPECT_EQ(crash.body, "begun");
    EXPECT_FALSE(crash.ended);
    EXPECT_EQ(crash.error, 2U);  // INTERNAL_ERROR
    EXPECT_TRUE(log.contains("a streamed answer crashed"));
    EXPECT_EQ(other.body, "ignored");
}

TEST(Http2Download, a_stream_whose_window_stays_shut_is_given_up_and_holds_little) {
    LogCapture log;
    Http2Reply flood, big;
    serve({}, {}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address,
                                                  Http2Client::Options{.keep_windows_shut = true});
        const auto id = co_await call(*client, Http2Client::Begin{{{":path", "/flood"}}, true});
        const auto text = co_await call(*client, Http2Client::Begin{{{":path", "/big"}}, true});
        flood = co_await call(*client, Http2Client::Await{id}, patient);
        big = co_await call(*client, Http2Client::Await{text}, patient);
        // The connection lives: a head needs no window.
        const Http2Reply head = co_await call(*client, get("/lines", "HEAD"));
        EXPECT_EQ(head.status, 200);
    });
    EXPECT_FALSE(flood.ended);
    EXPECT_EQ(flood.error, 8U);  // CANCEL
    EXPECT_EQ(big.error, 8U);
    EXPECT_TRUE(log.contains("flood stopped"));
    EXPECT_FALSE(log.contains("flood went through"));
    EXPECT_TRUE(log.contains("at=13"));  // 65,535 bytes on their way, 65,536 that wait
}

BENNU_SIM_TEST(Http2Download, endless_answers_end_with_their_stream_and_with_the_server, options) {
    LogCapture log;
    Duration stopping{};
    Http2Reply reply;
    simulate(options, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Streamer>();
        const SocketAddress address{"127.0.0.1", 8000};
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.address = address}, handler);
        auto client = co_await start<Http2Client>({}, address);
        const auto leaving =
            co_await call(*client, Http2Client::Begin{{{":path", "/endless"}}, true});
        (void)co_await call(*client, Http2Client::Await{leaving, "begun"});
        cast(*client, Http2Client::Reset{leaving});
        co_await sleep(1s);
        EXPECT_TRUE(log.contains("endless answer ended"));
        const auto staying =
            co_await call(*client, Http2Client::Begin{{{":path", "/endless"}}, true});
        (void)co_await call(*client, Http2Client::Await{staying, "beat"}, patient);
        const Instant from = now();
        co_await stop_and_wait(server->pid(), 30s);
        stopping = now() - from;
        reply = co_await call(*client, Http2Client::Await{staying});
        co_return {};
    });
    EXPECT_LT(stopping, 5s);
    EXPECT_EQ(reply.body, "begunbeat");
    EXPECT_TRUE(reply.ended);
}

struct TestFile {
    TestFile() {
        for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + " ";
        std::ofstream(path) << "0123456789" << text;
    }
    ~TestFile() { std::remove(path.c_str()); }
    std::string path = testing::TempDir() + "http2_stream_test";
    std::string text;
};

BENNU_SIM_TEST(Http2Files, ranges_of_files_are_sent_whole, options) {
    TestFile file;
    Http2Reply whole, head;
    serve(options, {}, file.path, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        whole = co_await call(*client, get("/file"), patient);
        head = co_await call(*client, get("/file", "HEAD"));
    });
    EXPECT_EQ(whole.body, file.text);
    EXPECT_EQ(whole.headers.get("content-length"), std::to_string(file.text.size()));
    EXPECT_EQ(head.headers.get("content-length"), std::to_string(file.text.size()));
    EXPECT_EQ(head.body, "");
}

TEST(Http2Files, a_file_that_is_shorter_than_announced_ends_only_its_stream) {
    LogCapture log;
    TestFile file;
    Http2Reply reply, other;
    serve({}, {}, file.path, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        reply = co_await call(*client, get("/short"), patient);
        other = co_await call(*client, get("/x"));
    });
    EXPECT_FALSE(reply.ended);
    EXPECT_EQ(reply.error, 2U);
    EXPECT_EQ(other.body, "ignored");
    EXPECT_TRUE(log.contains("a file ended before its announced length"));
}

}  // namespace bennu::net::http2_stream_test
