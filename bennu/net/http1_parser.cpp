#include "bennu/net/http1_parser.hpp"

#include <algorithm>
#include <cstring>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http1_head.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

namespace {

/// Where the next control character (tab excepted) is, or the size of the text. Eight bytes at a
/// time: heads hold one in about forty.
std::size_t find_control(std::string_view text, std::size_t at) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x8080808080808080;
    while (at + 8 <= text.size()) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + at, 8);
        // Nonzero when a byte is below 0x20, or equals 0x7f; a false alarm (tab, borrow) costs a
        // look byte by byte.
        auto below = (word - ones * 0x20) & ~word & highs;
        auto del = word ^ (ones * 0x7f);
        auto equals = (del - ones) & ~del & highs;
        if ((below | equals) != 0) {
            for (std::size_t i = 0; i < 8; ++i) {
                if (is_forbidden_control(text[at + i])) return at + i;
            }
        }
        at += 8;
    }
    while (at < text.size() && !is_forbidden_control(text[at])) ++at;
    return at;
}

/// Fields that decide about framing, routing or access mean nothing after the body (RFC
/// 9110, 6.5.1).
bool may_trail(std::string_view name) {
    constexpr std::string_view refused[] = {"transfer-encoding",
                                            "content-length",
                                            "content-encoding",
                                            "content-type",
                                            "content-range",
                                            "host",
                                            "connection",
                                            "upgrade",
                                            "expect",
                                            "te",
                                            "trailer",
                                            "authorization",
                                            "cookie",
                                            "proxy-authorization",
                                            "cache-control",
                                            "range",
                                            "max-forwards",
                                            "x-forwarded-for",
                                            "x-forwarded-proto",
                                            "x-forwarded-host",
                                            "forwarded"};
    for (auto one : refused) {
        if (iequals(name, one)) return false;
    }
    return true;
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
