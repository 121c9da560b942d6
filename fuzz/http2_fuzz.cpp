#include <map>
#include <set>

#include "bennu/net/http2_connection.hpp"
#include "bennu/net/http2_session.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;

/// A session whose owner reads every body and answers every request, makes a socket that echoes of
/// every request for a WebSocket, and notes what it hears.
struct Connection final : net::Http2Events {
    void request(net::Http2StreamId stream, net::RequestHead head) override {
        std::string& trace = streams[stream];
        fuzz::require_that(trace.empty(), "a second request on a stream");
        fuzz::require_that(open.insert({stream, head.has_body()}).second, "a stream begins twice");
        trace += std::string(head.method_text()) + " " + std::string(head.path()) + "?" +
                 std::string(head.query()) + " " + std::string(head.host()) + "\n";
        fuzz::require_that(!head.host().empty(), "a request without a host");
        fuzz::require_that(head.headers.count("host") == 1, "more than one host");
        fuzz::require_that(head.headers.count("cookie") <= 1, "a cookie in pieces");
        fuzz::require_that(!(head.chunked && head.content_length), "two framings");
        for (auto field : head.headers) {
            fuzz::require_that(
                net::Headers::valid_name(field.name) && net::Headers::valid_value(field.value),
                "a field that we would not send ourselves");
            trace += std::string(field.name) + ": " + std::string(field.value) + "\n";
        }
        if (head.websocket_stream) {
            fuzz::require_that(!head.has_body() && head.method == net::Method::get,
                               "a WebSocket that is not asked for by a GET");
            trace += "websocket\n";
            sockets.insert(stream);
            session.respond(stream, 200, {}, {.body = net::Http2Session::Answer::Body::tunnel});
        } else if (!head.has_body()) {
            answer(stream);
        }
    }
    void refused(const Refused& refused) override {
        // The log shows them.
        fuzz::require_that(refused.path.size() <= 200, "too much of a path");
        streams[refused.stream] += "refused " + std::string(refused.refusal.code) + "\n";
        open.insert({refused.stream, false});
        answer(refused.stream);
    }
    void body(net::Http2StreamId stream, std::string_view bytes) override {
        fuzz::require_that(open.contains(stream), "a body without its request");
        streams[stream] += bytes;
        if (sockets.contains(stream)) session.write(stream, std::string(bytes));
        session.consumed(stream, bytes.size());
    }
    void body_ended(net::Http2StreamId stream, std::unique_ptr<net::Headers> trailers) override {
        fuzz::require_that(open.contains(stream), "an end without its request");
        streams[stream] += "\nended\n";
        if (sockets.contains(stream)) {
            fuzz::require_that(!trailers, "trailers of a WebSocket");
            session.end(stream);
            return;
        }
        if (trailers) {
            for (auto field : *trailers)
                streams[stream] += std::string(field.name) + ": " + std::string(field.value) + "\n";
        }
        answer(stream);
    }
    void sent(net::Http2StreamId) override {}
    void closed(net::Http2StreamId stream) override {
        fuzz::require_that(open.erase(stream) == 1, "a stream ends that had not begun");
    }

    void answer(net::Http2StreamId stream) {
        net::Headers headers;
        headers.add("Content-Type", "text/plain");
        session.respond(stream, 200, headers, {.length = 4});
        session.write(stream, std::string("done"));
        session.end(stream);
    }

    void feed(std::string_view piece) {
        if (!failed) failed = !session.receive(piece, Instant());
    }
    /// Answers are taken at the end alone: when they are taken decides what a client may send after
    /// them, and that is not the input's doing.
    void finish() {
        while (!session.pull(Instant()).empty()) {}
        fuzz::require_that(!failed || session.over(), "a failed session goes on");
    }
    std::string trace() const {
        std::string all = failed ? "failed\n" : "";
        for (const auto& [id, text] : streams) all += std::to_string(id) + " " + text;
        return all;
    }

    static constexpr net::Http2Limits limits{.streams = 4,
                                             .stream_window = 256,
                                             .connection_window = 70'000,
                                             .resets = 3,
                                             .resets_per_second = 0,
                                             .idle_frames = 16,
                                             .idle_frames_per_second = 0};
    static constexpr net::Http1Limits head_limits{.request_line = 64,
                                                  .header_line = 64,
                                                  .header_bytes = 512,
                                                  .header_count = 8,
                                                  .trailer_bytes = 64};
    std::map<net::Http2StreamId, std::string> streams;
    std::map<net::Http2StreamId, bool> open;
    std::set<net::Http2StreamId> sockets;
    bool failed = false;
    net::Http2Session session{limits, head_limits, *this};
};

}  // namespace

/// The input is what follows the preface.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::CutInput input(data, size);
    Connection whole, cut;
    whole.feed(net::http2_preface);
    cut.feed(net::http2_preface);
    whole.feed(input.bytes);
    input.for_each_piece([&](std::string_view piece) { cut.feed(piece); });
    fuzz::require_equal(whole.trace(), cut.trace(), "pieces change the events");
    whole.finish();
    cut.finish();
    return 0;
}
