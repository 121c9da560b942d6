#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http1_trace.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu::net::http1_text_test {

using namespace std::chrono_literals;

/// One of testdata/http1/*.txt: `== title`, the bytes of a connection, `--`, what comes of them.
struct Case {
    std::string title, bytes, expected;
};

/// Line breaks of the file are for the eye; those of the bytes are written `\r` and `\n`.
std::string unescape(std::string_view line) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '\\' || i + 1 == line.size()) {
            out += line[i];
            continue;
        }
        char c = line[++i];
        if (c == 'x') {
            unsigned value = 0;
            std::from_chars(line.data() + i + 1, line.data() + i + 3, value, 16);
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
    }
    return out;
}

std::vector<Case> read_cases() {
    std::vector<Case> cases;
    for (const auto& entry : std::filesystem::directory_iterator("bennu/net/testdata/http1")) {
        std::ifstream file(entry.path());
        bool expecting = false;
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("== ")) {
                cases.push_back({entry.path().stem().string() + ": " + line.substr(3), {}, {}});
                expecting = false;
            } else if (line == "--") {
                expecting = true;
            } else if (!line.empty() && !cases.empty() && !line.starts_with("# ")) {
                expecting ? cases.back().expected += line + "\n"
                          : cases.back().bytes += unescape(line);
            }
        }
    }
    return cases;
}

std::vector<std::string_view> in_pieces(std::string_view bytes, std::size_t size) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += size)
        pieces.push_back(bytes.substr(at, size));
    return pieces;
}

TEST(Http1Text, ParserSaysTheSameHoweverTheBytesAreCut) {
    auto cases = read_cases();
    ASSERT_GT(cases.size(), 100U) << "run it at the root of the project";
    for (const auto& [title, bytes, expected] : cases) {
        SCOPED_TRACE(title);
        std::string_view all = bytes;
        EXPECT_EQ(trace_http1({all}), expected);
        EXPECT_EQ(trace_http1(in_pieces(bytes, 1)), expected) << "byte by byte";
        for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
            ASSERT_EQ(trace_http1({all.substr(0, cut), all.substr(cut)}), expected)
                << "cut at " << cut;
        }
    }
}

/// Answers with the trace of the request that it got.
struct Tracer : HttpHandler {
    explicit Tracer(BodyPlan::Delivery delivery) : delivery_(delivery) {}
    BodyPlan body_plan(const RequestHead&) const override {
        return {.limit = 1000, .delivery = delivery_};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        std::string text = trace_head(request.head);
        if (request.stream) {
            Result<std::string> body = co_await request.stream.rest(1000);
            if (!body) {
                int status = body.error().kind() == ErrorKind::too_large ? 413 : 400;
                co_return failure(status, body.error().code(), {});
            }
            text += trace_body(*body) + trace_done(&request.stream.trailers());
        } else {
            text += trace_body(request.body) + trace_done(request.trailers.get());
        }
        response.body = std::move(text);
        co_return response;
    }
    HttpResponse failure(int status, std::string_view code, std::string_view) const override {
        HttpResponse response;
        response.status = status;
        response.body = std::to_string(status) + " " + std::string(code) + "\n";
        return response;
    }

    BodyPlan::Delivery delivery_;
};

/// What a server tells of a connection: its answers, of which an error is the last one and says so.
std::string read_answers(std::string_view answers) {
    std::string out;
    bool closed = false;
    while (!answers.empty()) {
        if (closed) return out + "an answer behind the last one\n";
        auto end = answers.find("\r\n\r\n");
        if (end == std::string_view::npos || !answers.starts_with("HTTP/1."))
            return out + "no answer: " + std::string(answers) + "\n";
        auto head = to_lower(answers.substr(0, end + 2));
        answers.remove_prefix(end + 4);
        if (head.starts_with("http/1.1 100 ")) continue;
        auto length = head.find("\r\ncontent-length: ");
        std::size_t size = 0;
        if (length == std::string::npos) return out + "an answer without a length\n";
        std::from_chars(head.data() + length + 18, head.data() + head.size(), size);
        if (answers.size() < size) return out + "an answer that is cut off\n";
        out += answers.substr(0, size);
        answers.remove_prefix(size);
        closed = head.contains("\r\nconnection: close\r\n");
        if (!head.contains(" 200 ") && !closed) out += "goes on after an error\n";
    }
    return out;
}

/// What the server is to tell of what the parser says: whole requests up to one that closes, and
/// an error in place of what it ended.
std::string answered(const std::string& trace) {
    std::string out, request;
    std::istringstream lines(trace);
    bool close = false;
    for (std::string line; !close && std::getline(lines, line);) {
        line += "\n";
        if (line[0] >= '4' && line[0] <= '5') return out + line;
        request += line;
        if (!line.starts_with("done")) continue;
        out += request;
        close = request.substr(0, request.find('\n')).contains(" close");
        request.clear();
    }
    return out;
}

Task<std::string> send_in_pieces(SocketAddress address,
                                 const std::vector<std::string_view>& pieces) {
    auto client = co_await start<RawClient>({}, address);
    if (!client) co_return "no connection";
    for (auto piece : pieces) {
        cast(*client, RawClient::Send{std::string(piece)});
        co_await sleep(2ms);
    }
    std::string all = co_await call(*client, RawClient::ReadAll{}, {.timeout = 10min});
    co_await stop_and_wait(client->pid(), 1s);
    co_return all;
}

class Http1TextServer : public testing::TestWithParam<BodyPlan::Delivery> {};

TEST_P(Http1TextServer, AnswersWhatTheParserSays) {
    auto cases = read_cases();
    ASSERT_FALSE(cases.empty());
    SimOutcome outcome = simulate({.limit = 1000h}, [&]() -> Task<Result<>> {
        HttpServerOptions options;
        options.address.port = 8000;
        options.http2.streams = 0;  // its preface is a request like any other here
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Tracer>(GetParam());
        auto server = co_await start<HttpServer>({}, options, handler);
        EXPECT_TRUE(server);
        SocketAddress address = co_await call(*server, HttpServer::Address{});
        for (const auto& [title, bytes, expected] : cases) {
            for (std::size_t piece : {bytes.size(), std::size_t{1}}) {
                auto answers = co_await send_in_pieces(address, in_pieces(bytes, piece));
                EXPECT_EQ(read_answers(answers), answered(expected))
                    << title << ", in pieces of " << piece;
            }
        }
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
}

INSTANTIATE_TEST_SUITE_P(, Http1TextServer,
                         testing::Values(BodyPlan::Delivery::gathered,
                                         BodyPlan::Delivery::streamed),
                         [](const auto& delivery) -> std::string {
                             return delivery.param == BodyPlan::Delivery::gathered ? "gathered"
                                                                                   : "streamed";
                         });

}  // namespace bennu::net::http1_text_test
