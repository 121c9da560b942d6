#include "bennu/net/http1_parser.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/base/byte_scan.hpp"
#include "bennu/net/http1_head.hpp"
#include "bennu/net/http_syntax.hpp"
#include "bennu/net/http_trailers.hpp"

namespace bennu::net {

namespace {

/// Where the next control character (tab excepted) is, or the size of the text.
std::size_t find_control(std::string_view text, std::size_t at) {
    const std::size_t found = find_char(text.substr(at), [](Chars c) {
        constexpr signed char first_plain = 0x20, first_high = 0, tab = '\t', del = 0x7f;
        return ((c < first_plain & c >= first_high) & c != tab) | c == del;
    });
    return at + found;
}

}  // namespace

Http1Parser::Http1Parser(const Http1Limits& limits) : limits_(&limits), body_limit_(limits.body) {}

Http1Event Http1Parser::next(std::string_view input, RequestHead& head) {
    switch (state_) {
        case State::start:
        case State::head:
            return read_head(input, head);
        case State::body_start:
            if (!chunked_ && remaining_ > body_limit_) return fail(refusals::body_too_large);
            state_ = chunked_ ? State::chunked : State::sized;
            return next(input, head);
        case State::sized:
            return read_sized(input);
        case State::chunked:
            return read_chunked(input);
        case State::done:
            begin();
            return {.kind = Http1Event::Kind::done};
        case State::failed:
            break;
    }
    return {.kind = Http1Event::Kind::error, .refusal = refusal_};
}

Http1Event Http1Parser::read_head(std::string_view input, RequestHead& head) {
    if (state_ == State::start) {
        // One empty line before a request line is tolerated, as RFC 9112 asks of servers.
        if (input.starts_with("\r\n")) {
            scanned_ = line_start_ = fields_start_ = 2;
            state_ = State::head;
        } else if (input.empty() || input == "\r") {
            return {};
        } else {
            state_ = State::head;
        }
    }
    while (true) {
        auto cap = lines_ == 0 ? std::size_t{line_start_} + limits_->request_line
                               : std::min(std::size_t{line_start_} + limits_->header_line,
                                          std::size_t{fields_start_} + limits_->header_bytes);
        auto at = find_control(input, scanned_);
        if (at > cap)
            return fail(lines_ == 0 ? refusals::request_line_too_long
                                    : refusals::headers_too_large);
        scanned_ = static_cast<std::uint32_t>(at);
        if (at == input.size()) return {};
        if (input[at] != '\r') {
            return fail(input[at] == '\n' ? refusals::bad_line_end : refusals::bad_character);
        }
        if (at + 1 == input.size()) return {};
        if (input[at + 1] != '\n') return fail(refusals::bad_line_end);

        bool empty = at == line_start_;
        char first = input[line_start_];
        scanned_ = line_start_ = static_cast<std::uint32_t>(at + 2);
        if (lines_ == 0) {
            if (empty) return fail(refusals::bad_request_line);
            fields_start_ = line_start_;
        } else if (empty) {
            break;
        } else if (first == ' ' || first == '\t') {
            return fail(refusals::obs_fold);
        } else if (lines_ > limits_->header_count) {
            return fail(refusals::headers_too_large);
        }
        ++lines_;
    }
    auto skipped = input.starts_with("\r\n") ? 2u : 0u;
    if (const auto* refusal =
            Http1HeadReader::read(input.substr(skipped, scanned_ - skipped), head)) {
        return fail(*refusal);
    }
    Http1Event event{.kind = Http1Event::Kind::head, .consumed = scanned_};
    chunked_ = head.chunked;
    remaining_ = head.content_length.value_or(0);
    state_ = head.has_body() ? State::body_start : State::done;
    return event;
}

Http1Event Http1Parser::read_sized(std::string_view input) {
    if (input.empty()) return {};
    auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
    remaining_ -= size;
    if (remaining_ == 0) state_ = State::done;
    return {.kind = Http1Event::Kind::body, .consumed = size, .body = input.substr(0, size)};
}

Http1Event Http1Parser::read_chunked(std::string_view input) {
    auto step = chunks_.next(input, *limits_, body_limit_);
    switch (step.outcome) {
        case ChunkedDecoder::Outcome::need_more:
            return {.consumed = step.consumed};
        case ChunkedDecoder::Outcome::data:
            return {.kind = Http1Event::Kind::body, .consumed = step.consumed, .body = step.data};
        case ChunkedDecoder::Outcome::done: {
            auto trailers = chunks_.take_trailers();
            begin();
            chunks_.keep_trailers(std::move(trailers));
            return {.kind = Http1Event::Kind::done, .consumed = step.consumed};
        }
        case ChunkedDecoder::Outcome::error:
            break;
    }
    return fail(*step.refusal);
}

std::unique_ptr<Headers> Http1Parser::take_trailers() {
    std::unique_ptr<std::string> lines = chunks_.take_trailers();
    if (!lines) return nullptr;
    auto trailers = std::make_unique<Headers>();
    std::string_view rest = *lines;
    while (!rest.empty()) {
        auto line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(line.size() + 2);
        auto colon = line.find(':');
        auto name = line.substr(0, colon);
        if (!may_trail(name)) continue;
        trailers->add(name, trim_ows(line.substr(colon + 1)));
    }
    return trailers;
}

Http1Event Http1Parser::fail(const Http1Refusal& refusal) {
    state_ = State::failed;
    refusal_ = &refusal;
    return {.kind = Http1Event::Kind::error, .refusal = refusal_};
}

void Http1Parser::begin() {
    *this = Http1Parser(*limits_);
}

}  // namespace bennu::net
