#include "bennu/net/http1_parser.hpp"
#include "fuzz/http1_oracle.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;
using Kind = net::Http1Event::Kind;

/// Collects the events of one connection as text.
struct Connection {
    void feed(std::string_view piece) {
        buffer += piece;
        while (!failed) {
            auto event = parser.next(buffer, head);
            fuzz::require_that(event.consumed <= buffer.size(), "consumed more than there was");
            body += event.body;
            if (event.kind == Kind::head)
                fuzz::require_as_beast(std::string_view(buffer).substr(0, event.consumed), head);
            buffer.erase(0, event.consumed);
            if (event.kind == Kind::body) continue;
            if (event.kind == Kind::need_more) return;
            note(event);
        }
    }

    void note(const net::Http1Event& event) {
        trace += "body " + body + "\n";
        body.clear();
        if (event.kind == Kind::head) {
            trace += std::string(head.method_text()) + " " + std::string(head.path()) + "?" +
                     std::string(head.query()) + " " + std::string(head.host()) + "\n";
            for (auto field : head.headers) {
                fuzz::require_that(
                    net::Headers::valid_name(field.name) && net::Headers::valid_value(field.value),
                    "a field that we would not send ourselves");
                trace += std::string(field.name) + ": " + std::string(field.value) + "\n";
            }
            fuzz::require_that(!(head.chunked && head.content_length), "two framings");
        } else if (event.kind == Kind::done) {
            trace += "done\n";
            if (auto trailers = parser.take_trailers()) {
                for (auto field : *trailers)
                    trace += std::string(field.name) + ": " + std::string(field.value) + "\n";
            }
        } else {
            trace += "error " + std::string(event.refusal->code) + "\n";
            failed = true;
        }
    }

    static constexpr net::Http1Limits limits{.request_line = 64,
                                             .header_line = 64,
                                             .header_bytes = 256,
                                             .header_count = 8,
                                             .body = 64,
                                             .chunk_extension_bytes = 16,
                                             .trailer_bytes = 64};
    net::Http1Parser parser{limits};
    net::RequestHead head;
    std::string buffer, body, trace;
    bool failed = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::CutInput input(data, size);
    Connection whole, cut;
    whole.feed(input.bytes);
    input.for_each_piece([&](std::string_view piece) { cut.feed(piece); });
    fuzz::require_equal(whole.trace + whole.body, cut.trace + cut.body, "pieces change the events");
    fuzz::require_that(whole.failed || whole.buffer.size() <= 64 + 256 + 8,
                       "holds back more than its limits");
    return 0;
}
