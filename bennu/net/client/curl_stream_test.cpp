#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "bennu/net/client/compress_requests.hpp"
#include "bennu/net/client/curl_transport.hpp"
#include "bennu/net/client/download_file.hpp"
#include "bennu/net/client/event_source.hpp"
#include "bennu/net/client/request_steps.hpp"
#include "bennu/net/client/untrusted.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/async.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net::curl_stream_test {

using namespace std::chrono_literals;

constexpr std::size_t piece_size = 64 << 10;
constexpr std::size_t body_size = std::size_t{96} << 20;
/// What the kernel's buffers of both ends may hold, and ours.
constexpr std::size_t on_its_way = std::size_t{16} << 20;

std::string unzipped(std::string_view bytes) {
    std::string out(1 << 22, '\0');
    z_stream stream{};
    inflateInit2(&stream, MAX_WBITS + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int state = inflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return state == Z_STREAM_END ? out : "damaged";
}

/// A real server whose bodies are streams.
struct Server : HttpHandler {
    mutable std::atomic<std::size_t> made{0}, received{0};
    mutable std::atomic<int> running{0}, events{0};
    std::atomic<bool> may_read{true};

    BodyPlan body_plan(const RequestHead& head) const override {
        if (head.path() == "/gathered" || head.path() == "/unzip") return {.limit = 1 << 20};
        return {.limit = body_size, .delivery = BodyPlan::Delivery::streamed};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        const std::string_view path = request.head.path();
        if (path == "/big") {
            response.body = BodyProducer([this](BodyWriter out) -> Task<Result<>> {
                while (made < body_size) {
                    co_await require(out.write(std::string(piece_size, 'b')));
                    made += piece_size;
                }
                co_return {};
            });
        } else if (path == "/drip" || path == "/stall" || path == "/break") {
            const std::string kind(path);
            response.body = BodyProducer([this, kind](BodyWriter out) -> Task<Result<>> {
                ++running;
                struct Gone {
                    std::atomic<int>& count;
                    ~Gone() { --count; }
                } gone{running};
                co_await require(out.write("first"));
                if (kind == "/break") {
                    co_await sleep(50ms);
                    co_return Error(ErrorKind::internal, "broken", "told to");
                }
                while (true) {
                    co_await sleep(kind == "/stall" ? Duration(1h) : Duration(20ms));
                    co_await require(out.write("."));
                }
            });
        } else if (path == "/events") {
            const int number = ++events;
            if (number == 4) co_return HttpResponse{.status = 204};
            response.headers.set("content-type", "text/event-stream");
            const std::string last(request.head.headers.get("last-event-id"));
            response.body = BodyProducer([number, last](BodyWriter out) -> Task<Result<>> {
                co_return co_await out.write("retry: 1\nid: " + std::to_string(number) +
                                             "\ndata: after " + last + "\n\n");
            });
        } else if (path == "/unzip") {
            response.headers.set("x-encoding", request.head.headers.get("content-encoding"));
            response.body = request.head.headers.contains("content-encoding")
                                ? unzipped(request.body)
                                : request.body;
        } else if (path == "/gathered") {
            response.body = request.body;
        } else if (path == "/refuse") {
            response.status = 403;
        } else {
            // Counts what arrives, once it may.
            response.headers.set("x-length", request.head.headers.get("content-length"));
            while (!may_read) co_await sleep(5ms);
            while (auto piece = co_await request.stream.next()) {
                if (!*piece) break;
                received += (*piece)->size();
            }
            response.body = std::to_string(received);
        }
        co_return response;
    }
    HttpResponse failure(int status, std::string_view, std::string_view) const override {
        return {.status = status};
    }
};

void with_server(HttpServerOptions options, unsigned shards,
                 Function<Task<Result<>>(std::string, std::shared_ptr<Server>)> body) {
    const std::string scheme = options.tls ? "https" : "http";
    auto handler = std::make_shared<Server>();
    serve_really(options, shards, handler, [&](SocketAddress address) -> Task<Result<>> {
        co_return co_await body(scheme + "://localhost:" + std::to_string(address.port), handler);
    });
}

/// Until it is as told, or for ten seconds.
Task<bool> comes_true(Function<bool()> condition) {
    for (int i = 0; i < 2000; ++i) {
        if (condition()) co_return true;
        co_await sleep(5ms);
    }
    co_return false;
}

/// Until a number stays the same for a while.
Task<> settles(const std::atomic<std::size_t>& number) {
    for (std::size_t before = SIZE_MAX; before != number;) {
        before = number;
        co_await sleep(200ms);
    }
}

TEST(CurlStream, a_slow_reader_slows_the_server_down_and_holds_little) {
    with_server({}, 1, [](std::string base, auto server) -> Task<Result<>> {
        HttpClient client(make_curl_transport({.stream_buffer = 128 << 10}));
        ClientResponse answer = co_await require(client.stream(Method::get, base + "/big"));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.version, "1.1");
        // Nobody reads: the server gets no further than the buffers on the way hold.
        co_await settles(server->made);
        std::size_t read = 0, longest = 0;
        auto ahead = static_cast<std::int64_t>(server->made);
        EXPECT_GT(ahead, 0);
        while (auto piece = co_await require(answer.stream.next())) {
            longest = std::max(longest, piece->size());
            read += piece->size();
            ahead = std::max(
                ahead, static_cast<std::int64_t>(server->made) - static_cast<std::int64_t>(read));
        }
        EXPECT_EQ(read, body_size);
        EXPECT_LE(longest, std::size_t{128} << 10);
        EXPECT_LE(ahead, std::int64_t{on_its_way});
        co_return {};
    });
}

TEST(CurlStream, letting_go_ends_the_transfer_at_the_server_too) {
    with_server({}, 1, [](std::string base, auto server) -> Task<Result<>> {
        HttpClient client(make_curl_transport({.per_origin = 1}));
        for (int i = 0; i < 3; ++i) {
            ClientResponse answer = co_await require(client.stream(Method::get, base + "/drip"));
            EXPECT_EQ(co_await require(answer.stream.next()), "first");
            // The only place is taken.
            EXPECT_FALSE(co_await within(client.get(base + "/gathered"), 50ms));
        }
        EXPECT_TRUE(co_await comes_true([&] { return server->running == 0; }));
        EXPECT_TRUE(co_await client.get(base + "/gathered"));
        // Called off before its head was there, and while a piece was awaited.
        server->may_read = false;
        EXPECT_FALSE(co_await within(client.stream(Method::get, base + "/count"), 20ms));
        server->may_read = true;
        ClientResponse answer = co_await require(client.stream(Method::get, base + "/stall"));
        EXPECT_EQ(co_await require(answer.stream.next()), "first");
        EXPECT_FALSE(co_await within(answer.stream.next(), 20ms));
        answer = {};
        EXPECT_TRUE(co_await client.get(base + "/gathered"));
        co_return {};
    });
}

TEST(CurlStream, silence_breaks_and_clocks_are_errors) {
    with_server({}, 1, [](std::string base, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        auto end_of = [&](std::string path, RequestOptions options) -> Task<std::string> {
            ClientResponse answer =
                (co_await client.stream(Method::get, base + path, options)).value();
            co_return std::string((co_await answer.stream.rest(1000)).error().code());
        };
        EXPECT_EQ(co_await end_of("/stall", {.idle_timeout = 100ms}), "idle_timeout");
        EXPECT_EQ(co_await end_of("/drip", {.max_body = 20}), "body_too_large");
        EXPECT_EQ(co_await end_of("/drip", {.body_timeout = 100ms}), "timeout");
        EXPECT_EQ(co_await end_of("/break", {}), "connection_lost");
        // A gathered answer is watched as well.
        Result<ClientResponse> still =
            co_await client.get(base + "/stall", {.idle_timeout = 100ms});
        EXPECT_EQ(still.error().code(), "idle_timeout");
        still = co_await client.get(base + "/break");
        EXPECT_EQ(still.error().code(), "connection_lost");
        EXPECT_EQ((co_await client.stream(Method::get, "http://127.0.0.1:1/")).error().code(),
                  "not_reachable");
        co_return {};
    });
}

/// `count` pieces of 64 KiB, and how many were taken.
NextPiece pieces(std::size_t count, std::shared_ptr<std::size_t> taken) {
    return [count, taken]() -> Task<Result<std::optional<std::string>>> {
        if (*taken == count) co_return std::optional<std::string>();
        ++*taken;
        co_return std::optional<std::string>(std::in_place, piece_size, 'u');
    };
}

TEST(CurlStream, an_upload_goes_as_fast_as_the_server_takes_it) {
    with_server({}, 1, [](std::string base, auto server) -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        server->may_read = false;
        auto taken = std::make_shared<std::size_t>(0);
        const std::size_t count = body_size / piece_size;
        auto watch = [&]() -> Task<Result<std::size_t>> {
            std::size_t before = SIZE_MAX;
            while (before != *taken) {
                before = *taken;
                co_await sleep(200ms);
            }
            server->may_read = true;
            co_return before* piece_size;
        };
        auto [answer, ahead] = co_await gather(
            client.post(base + "/count", {.upload = upload_pieces(pieces(count, taken))}), watch());
        EXPECT_EQ(answer->body, std::to_string(body_size));
        EXPECT_EQ(answer->headers.get("x-length"), "");
        EXPECT_LE(*ahead, on_its_way);
        EXPECT_GT(*ahead, 0u);
        co_return {};
    });
}

TEST(CurlStream, an_upload_may_have_a_length_be_a_file_and_be_compressed) {
    with_server({}, 1, [](std::string base, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        auto taken = std::make_shared<std::size_t>(0);
        ClientResponse answer = co_await require(client.put(
            base + "/count", {.upload = upload_pieces(pieces(2, taken), 2 * piece_size)}));
        EXPECT_EQ(answer.body, std::to_string(2 * piece_size));
        EXPECT_EQ(answer.headers.get("x-length"), std::to_string(2 * piece_size));
        const std::string file =
            std::filesystem::temp_directory_path() / ("upload-" + std::to_string(::getpid()));
        std::ofstream(file) << std::string(300'000, 'f');
        ClientUpload upload = co_await require(upload_file(file));
        std::filesystem::remove(file);
        for (int i = 0; i < 2; ++i) {
            answer = co_await require(client.post(base + "/gathered", {.upload = upload}));
            EXPECT_EQ(answer.body, std::string(300'000, 'f'));
        }
        HttpClient zips = client.with({compress_requests()});
        for (RequestOptions options : {RequestOptions{.upload = upload},
                                       RequestOptions{.body = std::string(300'000, 'f')}}) {
            answer = co_await require(zips.post(base + "/unzip", options));
            EXPECT_EQ(answer.headers.get("x-encoding"), "gzip");
            EXPECT_EQ(answer.body, std::string(300'000, 'f'));
        }
        answer = co_await require(zips.post(base + "/unzip", {.body = "short"}));
        EXPECT_EQ(answer.headers.get("x-encoding"), "");
        EXPECT_EQ(answer.body, "short");
        co_return {};
    });
}

TEST(CurlStream, an_upload_that_fails_or_is_refused_ends) {
    with_server({}, 1, [](std::string base, auto server) -> Task<Result<>> {
        HttpClient client(make_curl_transport(), {attempt_limits({.head = 200ms})});
        auto broken =
            upload_pieces([sent = 0]() mutable -> Task<Result<std::optional<std::string>>> {
                if (++sent == 3) co_return Error(ErrorKind::io, "disk", "cannot read");
                co_return std::optional<std::string>("piece");
            });
        EXPECT_EQ((co_await client.post(base + "/count", {.upload = broken})).error().code(),
                  "disk");
        // Making it slowly is no fault of the server's: neither clock runs meanwhile.
        auto slow = upload_pieces([sent = 0]() mutable -> Task<Result<std::optional<std::string>>> {
            co_await sleep(150ms);
            if (++sent == 4) co_return std::optional<std::string>();
            co_return std::optional<std::string>("piece");
        });
        auto answer =
            co_await client.post(base + "/gathered", {.upload = slow, .idle_timeout = 300ms});
        EXPECT_EQ(answer->body, "piecepiecepiece");
        // A server that takes nothing.
        server->may_read = false;
        auto taken = std::make_shared<std::size_t>(0);
        answer = co_await client.post(
            base + "/count", {.upload = upload_pieces(pieces(body_size / piece_size, taken)),
                              .idle_timeout = 300ms});
        EXPECT_EQ(answer.error().code(), "idle_timeout");
        server->may_read = true;
        // Refused without being read: the answer, or a connection that broke.
        *taken = 0;
        answer =
            co_await client.post(base + "/refuse", {.upload = upload_pieces(pieces(1000, taken))});
        if (answer) {
            EXPECT_EQ(answer->status, 403);
        } else {
            EXPECT_EQ(answer.error().code(), "connection_lost");
        }
        EXPECT_LT(*taken, 1000u);
        co_return {};
    });
}

TEST(CurlStream, one_answer_may_be_the_upload_of_another_request) {
    with_server({}, 1, [](std::string base, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        ClientResponse from = co_await require(client.stream(Method::get, base + "/big"));
        ClientResponse answer =
            co_await require(client.post(base + "/count", {.upload = upload_stream(from.stream)}));
        EXPECT_EQ(answer.body, std::to_string(body_size));
        co_return {};
    });
}

TEST(CurlStream, a_file_is_downloaded_and_events_are_read) {
    with_server({}, 1, [](std::string base, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        const std::string file =
            std::filesystem::temp_directory_path() / ("download-" + std::to_string(::getpid()));
        DownloadedFile done = co_await require(download_file(client, base + "/big", file));
        EXPECT_EQ(done.bytes, body_size);
        EXPECT_EQ(std::filesystem::file_size(file), body_size);
        std::filesystem::remove(file);
        EXPECT_EQ((co_await download_file(client, base + "/break", file)).error().code(),
                  "connection_lost");
        EXPECT_FALSE(std::filesystem::exists(file));
        EventSource events(client, base + "/events");
        std::string all;
        while (auto event = co_await require(events.next())) all += event->data + ".";
        EXPECT_EQ(all, "after .after 1.after 2.");
        co_return {};
    });
}

TEST(CurlStream, a_stream_has_a_connection_of_its_own_also_where_http2_is_spoken) {
    TlsCertificate own = make_test_certificate({"localhost"});
    HttpServerOptions options;
    options.tls.emplace(TlsOptions{.certificates = {own}});
    with_server(options, 1, [own](std::string base, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport({.authorities = own.certificate}));
        EXPECT_EQ((co_await client.get(base + "/gathered"))->version, "2");
        ClientResponse answer = co_await require(client.stream(Method::get, base + "/big"));
        EXPECT_EQ(answer.version, "1.1");
        // It stands still; the others go on.
        EXPECT_EQ((co_await client.get(base + "/gathered"))->version, "2");
        EXPECT_EQ((co_await require(answer.stream.rest(body_size))).size(), body_size);
        co_return {};
    });
}

TEST(CurlStream, the_guard_holds_for_streams) {
    with_server({}, 1, [](std::string base, auto) -> Task<Result<>> {
        const auto port = static_cast<std::uint16_t>(std::stoi(base.substr(base.rfind(':') + 1)));
        UntrustedOptions options{.ports = {port},
                                 .plaintext = Plaintext::allowed,
                                 .also_reach = {"127.0.0.1"},
                                 .timeout = 300ms,
                                 .max_body = 50'000};
        options.resolve = [](const std::string&) -> Result<std::vector<std::string>> {
            return std::vector<std::string>{"127.0.0.1"};
        };
        HttpClient guarded = untrusted_client(std::move(options));
        const std::string host = "http://no-such-name.example:" + std::to_string(port);
        ClientResponse answer = co_await require(guarded.stream(Method::get, host + "/big"));
        EXPECT_EQ((co_await answer.stream.rest(body_size)).error().code(), "body_too_large");
        answer = co_await require(guarded.stream(Method::get, host + "/drip"));
        EXPECT_EQ((co_await answer.stream.rest(body_size)).error().kind(), ErrorKind::timeout);
        HttpClient bare(make_curl_transport({.reach = Reach::public_only}));
        EXPECT_EQ((co_await bare.stream(Method::get, base + "/big")).error().code(),
                  "address_refused");
        co_return {};
    });
}

TEST(CurlStreamShards, streams_of_several_shards_share_one_transport) {
    with_server({.per_ip = 0}, 2, [](std::string base, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        std::vector<Async<int>> workers;
        for (std::uint8_t shard : {0, 1}) {
            workers.push_back(async(
                [client, base]() -> Task<int> {
                    int whole = 0;
                    for (int i = 0; i < 30; ++i) {
                        auto taken = std::make_shared<std::size_t>(0);
                        auto answer =
                            co_await client.stream(Method::post, base + "/gathered",
                                                   {.upload = upload_pieces(pieces(3, taken))});
                        if (!answer || i % 3 == 0) continue;
                        auto text = co_await answer->stream.rest(1 << 20);
                        if (text && text->size() == 3 * piece_size) ++whole;
                    }
                    co_return whole;
                },
                {.shard = shard}));
        }
        for (Async<int>& worker : workers) EXPECT_EQ(co_await await(worker, 60s), 20);
        co_return {};
    });
}

}  // namespace bennu::net::curl_stream_test
