#include "bennu/net/http1_chunked.hpp"

#include <algorithm>

#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view input, const Http1Limits& limits,
                                          std::uint64_t body_limit) {
    std::size_t at = 0;
    while (at < input.size() && state_ != State::done) {
        if (state_ == State::data) {
            auto size = static_cast<std::size_t>(std::min<std::uint64_t>(size_, input.size() - at));
            size_ -= size;
            if (size_ == 0) state_ = State::data_cr;
            return {Outcome::data, at + size, input.substr(at, size)};
        }
        if (const auto* refusal = feed(input[at], limits, body_limit)) {
            return {.outcome = Outcome::error, .consumed = at, .refusal = refusal};
        }
        ++at;
    }
    return {state_ == State::done ? Outcome::done : Outcome::need_more, at};
}

const Http1Refusal* ChunkedDecoder::feed(char c, const Http1Limits& limits,
                                         std::uint64_t body_limit) {
    switch (state_) {
        case State::size:
        case State::size_or_extension:
            if (int digit = hex_value(c); digit >= 0) {
                if (++digits_ > 16) return &refusals::bad_chunk;
                size_ = size_ << 4 | static_cast<unsigned>(digit);
                state_ = State::size_or_extension;
                return nullptr;
            }
            if (state_ == State::size) return &refusals::bad_chunk;
            if (c == ';') {
                state_ = State::extension;
            } else if (c == '\r') {
                state_ = State::size_lf;
            } else {
                return &refusals::bad_chunk;
            }
            return nullptr;
        case State::extension:
            if (c == '\r') {
                state_ = State::size_lf;
                return nullptr;
            }
            if (is_forbidden_control(c)) return &refusals::bad_chunk;
            if (++counted_ > limits.chunk_extension_bytes)
                return &refusals::chunk_extension_too_large;
            return nullptr;
        case State::size_lf:
            if (c != '\n') return &refusals::bad_chunk;
            digits_ = 0;
            if (size_ == 0) {
                counted_ = 0;
                state_ = State::trailer_start;
                return nullptr;
            }
            if (size_ > body_limit || total_ > body_limit - size_) return &refusals::body_too_large;
            total_ += size_;
            state_ = State::data;
            return nullptr;
        case State::data_cr:
            if (c != '\r') return &refusals::bad_chunk;
            state_ = State::data_lf;
            return nullptr;
        case State::data_lf:
            if (c != '\n') return &refusals::bad_chunk;
            state_ = State::size;
            return nullptr;
        case State::last_lf:
            if (c != '\n') return &refusals::bad_chunk;
            state_ = State::done;
            return nullptr;
        case State::trailer_start:
        case State::trailer_name:
        case State::trailer_value:
        case State::trailer_lf:
            return feed_trailer(c, limits);
        case State::data:
        case State::done:
            break;
    }
    return &refusals::bad_chunk;
}

const Http1Refusal* ChunkedDecoder::feed_trailer(char c, const Http1Limits& limits) {
    if (++counted_ > limits.trailer_bytes) return &refusals::headers_too_large;
    if (state_ != State::trailer_start || c != '\r') {
        if (!trailers_) trailers_ = std::make_unique<std::string>();
        trailers_->push_back(c);
    }
    switch (state_) {
        case State::trailer_start:
            if (c == '\r') {
                state_ = State::last_lf;
                return nullptr;
            }
            if (!is_token_char(c)) return &refusals::bad_chunk;
            state_ = State::trailer_name;
            return nullptr;
        case State::trailer_name:
            if (c == ':') {
                state_ = State::trailer_value;
                return nullptr;
            }
            return is_token_char(c) ? nullptr : &refusals::bad_chunk;
        case State::trailer_value:
            if (c == '\r') {
                state_ = State::trailer_lf;
                return nullptr;
            }
            return is_forbidden_control(c) ? &refusals::bad_chunk : nullptr;
        default:
            if (c != '\n') return &refusals::bad_chunk;
            state_ = State::trailer_start;
            return nullptr;
    }
}

}  // namespace bennu::net
