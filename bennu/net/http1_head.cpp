#include "bennu/net/http1_head.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

namespace beast = boost::beast;

/// Notes where Beast finds each piece, as offsets into the head's own copy of the text.
struct Http1HeadReader::BeastHead final : beast::http::basic_parser<true> {
    explicit BeastHead(RequestHead& out) : head(out) {
        skip(true);  // the body is not Beast's business
        body_limit(boost::none);
        header_limit(UINT32_MAX);  // sizes were checked while the lines arrived
    }

    TextSlice slice(beast::string_view piece) const {
        return {static_cast<std::uint32_t>(piece.data() - head.headers.text_.data()),
                static_cast<std::uint32_t>(piece.size())};
    }

    void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                         int version, beast::error_code&) override {
        head.method = method_from({method.data(), method.size()});
        head.method_slice = slice(method);
        head.target_slice = slice(target);
        head.minor_version = version == 11 ? 1 : 0;
    }
    void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                       beast::error_code&) override {
        auto name_at = slice(name);
        // Beast names a position of its own for an empty value.
        auto value_at = value.empty() ? TextSlice{name_at.at, 0} : slice(value);
        head.headers.entries_.push_back({name_at.at, name_at.size, value_at.at, value_at.size});
    }
    void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(beast::string_view body, beast::error_code&) override {
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body,
                                   beast::error_code&) override {
        return body.size();
    }
    void on_finish_impl(beast::error_code&) override {}

    RequestHead& head;
};

namespace {

/// Beast stops at the field that it refuses, before it is noted: what was noted until then tells
/// the cases apart.
const Http1Refusal* refusal_of(const beast::error_code& error, const Headers& headers) {
    bool length = error == beast::http::error::bad_content_length;
    bool encoding = error == beast::http::error::bad_transfer_encoding;
    if ((length && headers.contains("transfer-encoding")) ||
        (encoding && headers.contains("content-length"))) {
        return &refusals::length_and_chunked;
    }
    if (error == beast::http::error::multiple_content_length) return &refusals::repeated_length;
    if (length)
        return headers.contains("content-length") ? &refusals::repeated_length
                                                  : &refusals::bad_length;
    return encoding ? &refusals::bad_transfer_encoding : &refusals::bad_header;
}

}  // namespace

const Http1Refusal* Http1HeadReader::read(std::string_view text, RequestHead& out) {
    out.keep_alive = out.chunked = out.expect_continue = out.upgrade = false;
    out.content_length.reset();
    out.path_slice = out.query_slice = out.host_slice = {};
    out.headers.clear();
    if (const auto* refusal = check_request_line(text)) return refusal;

    out.headers.text_.assign(text);
    BeastHead parser(out);
    beast::error_code error;
    auto used = parser.put({out.headers.text_.data(), out.headers.text_.size()}, error);
    if (error || used != text.size() || !parser.is_header_done()) {
        return refusal_of(error, out.headers);
    }
    if (const auto* refusal = split_target(out)) return refusal;
    return check_fields(out);
}

const Http1Refusal* Http1HeadReader::check_request_line(std::string_view text) {
    auto line = text.substr(0, text.find('\r'));
    auto first = line.find(' ');
    auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || !is_token(line.substr(0, first))) {
        return &refusals::bad_request_line;
    }
    auto target = line.substr(first + 1, last - first - 1);
    bool visible = std::all_of(target.begin(), target.end(),
                               [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
    if (target.empty() || !visible) return &refusals::bad_target;
    auto version = line.substr(last + 1);
    if (version.size() != 8 || !version.starts_with("HTTP/") || !is_ascii_digit(version[5]) ||
        version[6] != '.' || !is_ascii_digit(version[7])) {
        return &refusals::bad_request_line;
    }
    if (version[5] != '1' || version[7] > '1') return &refusals::bad_version;
    return nullptr;
}

const Http1Refusal* Http1HeadReader::split_target(RequestHead& out) {
    auto target = out.target();
    if (out.method == Method::connect) return &refusals::connect_unsupported;
    if (target == "*") {
        if (out.method != Method::options) return &refusals::bad_target;
        out.path_slice = out.target_slice;
        return nullptr;
    }
    std::size_t path_at = 0;
    if (target.front() != '/') {
        auto scheme = target.find("://");
        if (scheme == std::string_view::npos) return &refusals::bad_target;
        if (auto name = target.substr(0, scheme);
            !iequals(name, "http") && !iequals(name, "https")) {
            return &refusals::bad_target;
        }
        auto host_at = scheme + 3;
        path_at = std::min(target.find_first_of("/?", host_at), target.size());
        if (!is_host_and_port(target.substr(host_at, path_at - host_at)))
            return &refusals::bad_host;
        out.host_slice = {out.target_slice.at + static_cast<std::uint32_t>(host_at),
                          static_cast<std::uint32_t>(path_at - host_at)};
    }
    auto path_end = std::min(target.find('?', path_at), target.size());
    auto at = [&](std::size_t from, std::size_t to) {
        return TextSlice{out.target_slice.at + static_cast<std::uint32_t>(from),
                         static_cast<std::uint32_t>(to - from)};
    };
    out.path_slice = at(path_at, path_end);
    if (path_end < target.size()) out.query_slice = at(path_end + 1, target.size());
    return nullptr;
}

const Http1Refusal* Http1HeadReader::check_host(RequestHead& out) {
    Headers::Entry* host = nullptr;
    for (auto& entry : out.headers.entries_) {
        if (entry.name_size != 4 || !iequals(out.headers.text({entry.name_at, 4}), "host"))
            continue;
        if (host) return &refusals::repeated_host;
        host = &entry;
    }
    if (!host) return out.minor_version == 0 ? nullptr : &refusals::missing_host;
    if (!is_host_and_port(out.headers.text({host->value_at, host->value_size})))
        return &refusals::bad_host;
    if (out.host_slice.size > 0) {
        host->value_at = out.host_slice.at;
        host->value_size = out.host_slice.size;
    }
    out.host_slice = {host->value_at, host->value_size};
    return nullptr;
}

const Http1Refusal* Http1HeadReader::check_fields(RequestHead& out) {
    bool close = false, keep = false, upgrade = false, upgrade_field = false;
    for (auto field : out.headers) {
        if (field.name.contains('_')) return &refusals::underscore_name;
        switch (field.name.size()) {
            case 6:
                if (!iequals(field.name, "expect")) break;
                if (!iequals(field.value, "100-continue")) return &refusals::unknown_expectation;
                out.expect_continue = out.minor_version == 1;
                break;
            case 7:
                upgrade_field |= iequals(field.name, "upgrade");
                break;
            case 10:
                if (!iequals(field.name, "connection")) break;
                for_each_element(field.value, [&](std::string_view token) {
                    close |= iequals(token, "close");
                    keep |= iequals(token, "keep-alive");
                    upgrade |= iequals(token, "upgrade");
                });
                break;
            case 14: {
                if (!iequals(field.name, "content-length")) break;
                if (out.content_length) return &refusals::repeated_length;
                if (field.value.empty() || field.value.size() > 18) return &refusals::bad_length;
                std::uint64_t length = 0;
                for (char c : field.value) {
                    if (!is_ascii_digit(c)) return &refusals::bad_length;
                    length = length * 10 + static_cast<unsigned>(c - '0');
                }
                out.content_length = length;
                break;
            }
            case 17:
                if (!iequals(field.name, "transfer-encoding")) break;
                if (out.minor_version == 0) return &refusals::chunked_in_http_1_0;
                if (out.chunked || !iequals(field.value, "chunked"))
                    return &refusals::bad_transfer_encoding;
                out.chunked = true;
                break;
            default:
                break;
        }
    }
    if (out.chunked && out.content_length) return &refusals::length_and_chunked;
    out.keep_alive = !close && (out.minor_version == 1 || keep);
    out.upgrade = upgrade && upgrade_field && out.minor_version == 1;
    return check_host(out);
}

}  // namespace bennu::net
