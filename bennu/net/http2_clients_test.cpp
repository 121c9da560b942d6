#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "bennu/net/http_server.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"

/// The clients that others wrote, over real sockets.
namespace bennu::net::http2_clients_test {

using namespace std::chrono_literals;

struct Handler : HttpHandler {
    std::shared_ptr<const OpenFile> file = {};

    BodyPlan body_plan(const RequestHead& head) const override {
        return {.limit = 4'000'000,
                .delivery = head.path() == "/stream" ? BodyPlan::Delivery::streamed
                                                     : BodyPlan::Delivery::gathered};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        if (request.head.path() == "/file") {
            response.body = FileBody{file, 0, file->size()};
        } else if (request.head.path() == "/produced") {
            response.body = BodyProducer([](BodyWriter out) -> Task<Result<>> {
                for (int i = 0; i < 100; ++i) co_await require(out.write(std::string(10'000, 'p')));
                co_return Result<>();
            });
        } else {
            std::size_t bytes = request.body.size();
            while (request.stream) {
                auto piece = co_await request.stream.next();
                if (!piece || !*piece) break;
                bytes += (*piece)->size();
            }
            response.body = "got " + std::to_string(bytes) + "\n";
        }
        co_return response;
    }
    HttpResponse failure(int status, std::string_view, std::string_view) const override {
        HttpResponse response;
        response.status = status;
        return response;
    }
};

std::string output_of(const std::string& command) {
    std::string text;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    char buffer[4096];
    while (std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe))
        text.append(buffer, count);
    ::pclose(pipe);
    return text;
}

/// What the commands print against a server on two shards; `@` stands for its host and port.
std::vector<std::string> outputs(HttpServerOptions options, std::vector<std::string> commands) {
    std::vector<std::string> all;
    const std::string path = testing::TempDir() + "http2_clients_test";
    std::ofstream(path) << std::string(2'000'000, 'f');
    run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        auto own = std::make_shared<Handler>();
        own->file = co_await require(co_await offload([path] { return OpenFile::open(path); }));
        std::shared_ptr<const HttpHandler> handler = own;
        auto server = co_await start<HttpServer>({}, options, handler);
        const SocketAddress address = co_await call(*server, HttpServer::Address{});
        for (std::string command : commands) {
            for (auto at = command.find('@'); at != std::string::npos; at = command.find('@', at))
                command.replace(at, 1, "127.0.0.1:" + std::to_string(address.port));
            all.push_back(co_await offload([command] { return output_of(command); }));
        }
        co_await stop_and_wait(server->pid(), 5s);
        co_return {};
    });
    std::filesystem::remove(path);
    return all;
}

TEST(Http2ClientsMultiShard, curl_speaks_http_2_with_and_without_tls) {
    const std::string body = testing::TempDir() + "http2_clients_body";
    std::ofstream(body) << std::string(3'000'000, 'u');
    const std::string curl =
        "curl -sS -k --max-time 20 -w '%{http_version} %{http_code} "
        "%{size_download}' ";
    const std::string size = " -o /dev/null ";
    auto plain = outputs({}, {
                                 curl + "--http2-prior-knowledge http://@/a",
                                 curl + "--http2-prior-knowledge" + size + "http://@/file",
                                 curl + "http://@/a",
                             });
    EXPECT_EQ(plain[0], "got 0\n2 200 6");
    EXPECT_EQ(plain[1], "2 200 2000000");
    EXPECT_EQ(plain[2], "got 0\n1.1 200 6");
    auto tls = outputs({.tls = TlsOptions{.certificates = {make_test_certificate({"localhost"})}}},
                       {curl + "https://@/a", curl + "--http1.1 https://@/a",
                        curl + size + "https://@/file https://@/produced" + size,
                        "cat " + body + " | " + curl + "-T - https://@/stream",
                        "cat " + body + " | " + curl + "-T - https://@/gathered"});
    EXPECT_EQ(tls[0], "got 0\n2 200 6");
    EXPECT_EQ(tls[1], "got 0\n1.1 200 6");
    EXPECT_EQ(tls[2], "2 200 20000002 200 1000000");
    EXPECT_EQ(tls[3], "got 3000000\n2 200 12");
    EXPECT_EQ(tls[4], "got 3000000\n2 200 12");
    std::filesystem::remove(body);
}

TEST(Http2ClientsMultiShard, nghttp_and_h2load_get_every_answer) {
    // 800 requests at once are too many for a slow build on a busy machine: none is turned away.
    auto plain = outputs(
        {.admission = {.queue_delay = Duration::zero()}},
        {"nghttp -n -s --no-dep http://@/a http://@/file http://@/produced",
         "h2load -n 4000 -c 8 -m 100 http://@/a", "h2load -n 40 -c 4 -m 5 http://@/produced"});
    EXPECT_TRUE(plain[0].contains("200   1M /file")) << plain[0];
    EXPECT_TRUE(plain[1].contains("4000 succeeded, 0 failed, 0 errored")) << plain[1];
    EXPECT_TRUE(plain[2].contains("40 succeeded, 0 failed, 0 errored")) << plain[2];
}

}  // namespace bennu::net::http2_clients_test
