#include "bennu/net/http2_head.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http1_head.hpp"
#include "bennu/net/http_syntax.hpp"
#include "bennu/net/http_trailers.hpp"

namespace bennu::net {

namespace {

/// What a field counts beside its text (RFC 9113, 6.5.2).
constexpr std::uint64_t field_overhead = 32;

bool is_target(std::string_view target) {
    if (!target.starts_with('/') && target != "*") return false;
    return std::all_of(target.begin(), target.end(),
                       [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

}  // namespace

void Http2HeadBuilder::add(std::string_view name, std::string_view value) {
    size_ += name.size() + value.size() + field_overhead;
    if (refusal_) return;
    if (size_ > limits_->header_bytes || head_.headers.size() >= limits_->header_count) {
        refusal_ = &refusals::headers_too_large;
    } else if (name.starts_with(':')) {
        add_pseudo(name, value);
    } else if (name.size() + value.size() + 2 > limits_->header_line) {
        refusal_ = &refusals::headers_too_large;
    } else if (!Headers::valid_name(name) || !Headers::valid_value(value)) {
        refusal_ = &refusals::bad_header;
    } else if (name == "cookie") {
        if (!cookie_.empty()) cookie_.append("; ");
        cookie_.append(value);
    } else if (name == "host" && authority_) {
        if (!iequals(without_empty_port(value), head_.headers.get("host")))
            refusal_ = &refusals::bad_host;
    } else {
        append(name, value);
    }
}

void Http2HeadBuilder::add_pseudo(std::string_view name, std::string_view value) {
    if (name == ":method") {
        if (!is_token(value)) refusal_ = &refusals::bad_request_line;
        head_.method = method_from(value);
        head_.method_slice = keep(value);
    } else if (name == ":path") {
        if (value.size() > limits_->request_line) {
            refusal_ = &refusals::request_line_too_long;
        } else if (!is_target(value)) {
            refusal_ = &refusals::bad_target;
        } else {
            head_.target_slice = keep(value);
        }
    } else if (name == ":authority") {
        if (!is_host_and_port(value)) {
            refusal_ = &refusals::bad_host;
        } else {
            authority_ = true;
            append("host", without_empty_port(value));
        }
    } else if (name == ":protocol") {
        protocol_ = true;
        if (!iequals(value, "websocket")) refusal_ = &refusals::unknown_protocol;
    }
}

const Http1Refusal* Http2HeadBuilder::read_connect(bool body_follows) {
    if (head_.method != Method::connect) return &refusals::bad_request_line;
    if (!body_follows || head_.headers.contains("content-length"))
        return &refusals::bad_websocket_stream;
    head_.method = Method::get;
    head_.method_slice = keep("GET");
    head_.websocket_stream = true;
    return nullptr;
}

const Http1Refusal* Http2HeadBuilder::finish(bool body_follows, RequestHead& out) {
    if (refusal_) return refusal_;
    if (!cookie_.empty()) append("cookie", cookie_);
    if (head_.target_slice.size == 0) {
        return head_.method == Method::connect ? &refusals::connect_unsupported
                                               : &refusals::bad_target;
    }
    if (protocol_) {
        if (const auto* refusal = read_connect(body_follows)) return refusal;
    }
    if (const auto* refusal = Http1HeadReader::check(head_)) return refusal;
    head_.upgrade = head_.websocket_stream;
    head_.chunked = body_follows && !head_.content_length && !head_.websocket_stream;
    out = std::move(head_);
    return nullptr;
}

TextSlice Http2HeadBuilder::keep(std::string_view text) {
    std::string& all = head_.headers.text_;
    TextSlice slice{static_cast<std::uint32_t>(all.size()),
                    static_cast<std::uint32_t>(text.size())};
    all.append(text);
    return slice;
}

void Http2HeadBuilder::append(std::string_view name, std::string_view value) {
    TextSlice name_at = keep(name), value_at = keep(value);
    head_.headers.entries_.push_back({name_at.at, name_at.size, value_at.at, value_at.size});
}

void Http2Trailers::add(std::string_view name, std::string_view value) {
    size_ += name.size() + value.size();
    dropped_ |= size_ > limits_->trailer_bytes || !Headers::valid_name(name) ||
                !Headers::valid_value(value);
    if (dropped_) {
        fields_.reset();
        return;
    }
    if (!may_trail(name)) return;
    if (!fields_) fields_ = std::make_unique<Headers>();
    fields_->add(name, value);
}

bool not_in_http2(std::string_view name) {
    constexpr std::string_view names[] = {
        "connection",     "keep-alive",        "proxy-connection", "te",
        "content-length", "transfer-encoding", "upgrade",          "date"};
    return std::ranges::any_of(names, [&](std::string_view one) { return iequals(one, name); });
}

}  // namespace bennu::net
