#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/net/http1_parser.hpp"

namespace bennu::net {

/// For tests: a request as lines of text, without its end.
inline std::string trace_head(const RequestHead& head) {
    auto out = std::string(head.method_text()) + " " + std::string(head.path()) + " ?" +
               std::string(head.query()) + " @" + std::string(head.host()) +
               (head.keep_alive ? " keep" : " close") + (head.chunked ? " chunked" : "") +
               (head.expect_continue ? " expect" : "") + (head.upgrade ? " upgrade" : "");
    if (head.content_length) out += " length=" + std::to_string(*head.content_length);
    return out + "\n";
}

/// A body without its line breaks, so that it stays one line.
inline std::string trace_body(std::string_view body) {
    if (body.empty()) return {};
    std::string out = "body ";
    for (char c : body) out += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
    return out + "\n";
}

inline std::string trace_done(const Headers* trailers) {
    std::string out;
    if (trailers) {
        for (auto [name, value] : *trailers)
            out += std::string(name) + "=" + std::string(value) + ";";
    }
    return out.empty() ? "done\n" : "done " + out + "\n";
}

/// Everything that the parser says about a stream that arrives in the given pieces, as text. The
/// pieces of a body are joined, since their cuts follow the input's.
inline std::string trace_http1(const std::vector<std::string_view>& pieces,
                               const Http1Limits& limits = Http1Limits::defaults()) {
    Http1Parser parser(limits);
    RequestHead head;
    std::string buffer, out, body;
    for (auto piece : pieces) {
        buffer += piece;
        while (true) {
            auto event = parser.next(buffer, head);
            body += event.body;
            buffer.erase(0, event.consumed);
            if (event.kind == Http1Event::Kind::body) continue;
            if (event.kind == Http1Event::Kind::need_more) break;
            out += trace_body(body);
            body.clear();
            if (event.kind == Http1Event::Kind::error) {
                return out + std::to_string(event.refusal->status) + " " +
                       std::string(event.refusal->code) + "\n";
            }
            out += event.kind == Http1Event::Kind::done ? trace_done(parser.take_trailers().get())
                                                        : trace_head(head);
        }
    }
    return out + trace_body(body);
}

}  // namespace bennu::net
