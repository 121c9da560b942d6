#include "bennu/net/http1_head.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/base/plain_text.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

namespace {

/// Most requests have no more fields.
constexpr std::size_t usual_fields = 16;

bool is_token_list(std::string_view list) {
    bool tokens = true;
    for_each_element(list, [&](std::string_view element) { tokens &= is_token(element); });
    return tokens;
}

}  // namespace

const Http1Refusal* Http1HeadReader::read(std::string_view text, RequestHead& out) {
    out.keep_alive = out.chunked = out.expect_continue = out.upgrade = false;
    out.accepts_trailers = false;
    out.content_length.reset();
    out.path_slice = out.query_slice = out.host_slice = {};
    out.headers.text_ = std::string(text);
    out.headers.entries_.clear();
    out.headers.entries_.reserve(usual_fields);
    const std::size_t first_line = text.find('\r');
    if (const auto* refusal = read_request_line(text.substr(0, first_line), out)) return refusal;
    if (const auto* refusal = split_fields(text, first_line + 2, out)) return refusal;
    return check(out);
}

const Http1Refusal* Http1HeadReader::split_fields(std::string_view text, std::size_t at,
                                                  RequestHead& out) {
    while (text[at] != '\r') {
        const std::size_t end = text.find('\r', at);
        std::size_t colon = at;
        while (is_token_char(text[colon])) ++colon;
        // A space before the colon, or no name at all: what stands in front of it could be read
        // as another field by somebody else.
        if (colon == at || text[colon] != ':') return &refusals::bad_header;
        const std::string_view value = trim_ows(text.substr(colon + 1, end - colon - 1));
        out.headers.entries_.push_back({static_cast<std::uint32_t>(at),
                                        static_cast<std::uint32_t>(colon - at),
                                        static_cast<std::uint32_t>(value.data() - text.data()),
                                        static_cast<std::uint32_t>(value.size())});
        at = end + 2;
    }
    return nullptr;
}

const Http1Refusal* Http1HeadReader::check(RequestHead& out) {
    if (const auto* refusal = split_target(out)) return refusal;
    return check_fields(out);
}

const Http1Refusal* Http1HeadReader::read_request_line(std::string_view line, RequestHead& out) {
    auto first = line.find(' ');
    auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || !is_token(line.substr(0, first))) {
        return &refusals::bad_request_line;
    }
    auto target = line.substr(first + 1, last - first - 1);
    bool visible = plain_run<' ', '#'>(target) == target.size();
    if (target.empty() || !visible) return &refusals::bad_target;
    auto version = line.substr(last + 1);
    if (version.size() != 8 || !version.starts_with("HTTP/") || !is_ascii_digit(version[5]) ||
        version[6] != '.' || !is_ascii_digit(version[7])) {
        return &refusals::bad_request_line;
    }
    if (version[5] != '1' || version[7] > '1') return &refusals::bad_version;
    out.method = method_from(line.substr(0, first));
    out.method_slice = {0, static_cast<std::uint32_t>(first)};
    out.target_slice = {static_cast<std::uint32_t>(first + 1),
                        static_cast<std::uint32_t>(target.size())};
    out.minor_version = version[7] == '1' ? 1 : 0;
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
    const std::string_view value = out.headers.text({host->value_at, host->value_size});
    host->value_size = static_cast<std::uint32_t>(without_empty_port(value).size());
    out.host_slice = {host->value_at, host->value_size};
    return nullptr;
}

const Http1Refusal* Http1HeadReader::check_fields(RequestHead& out) {
    bool close = false, keep = false, upgrade = false, upgrade_field = false;
    for (auto field : out.headers) {
        if (field.name.contains('_')) return &refusals::underscore_name;
        switch (field.name.size()) {
            case 2:
                if (!iequals(field.name, "te")) break;
                for_each_element(field.value, [&](std::string_view coding) {
                    out.accepts_trailers |= iequals(coding, "trailers") && out.minor_version == 1;
                });
                break;
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
                if (!is_token_list(field.value)) return &refusals::bad_header;
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
            case 16:
                if (iequals(field.name, "proxy-connection") && !is_token_list(field.value))
                    return &refusals::bad_header;
                break;
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
