#include "bennu/net/multipart.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/net/http_syntax.hpp"
#include "bennu/net/url.hpp"

namespace bennu::net {

namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

bool is_boundary_char(char c) {
    return is_ascii_alpha(c) || is_ascii_digit(c) || std::string_view("'()+_,-./:=? ").contains(c);
}

/// Takes one `; name=value` from the front of `rest`; false when it is malformed. A quoted value
/// may hold `\"` and `\\`; other backslashes stand for themselves, since that is what browsers
/// send.
bool take_parameter(std::string_view& rest, std::string_view& name, std::string& value) {
    rest = trim_ows(rest);
    if (!rest.starts_with(';')) return false;
    rest = trim_ows(rest.substr(1));
    auto equals = rest.find('=');
    if (equals == std::string_view::npos || !is_token(rest.substr(0, equals))) return false;
    name = rest.substr(0, equals);
    rest.remove_prefix(equals + 1);
    value.clear();
    if (!rest.starts_with('"')) {
        while (!rest.empty() && is_token_char(rest.front())) {
            value += rest.front();
            rest.remove_prefix(1);
        }
        return !value.empty();
    }
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '"') {
        if (rest.front() == '\\' && rest.size() > 1 && (rest[1] == '"' || rest[1] == '\\'))
            rest.remove_prefix(1);
        value += rest.front();
        rest.remove_prefix(1);
    }
    if (rest.empty()) return false;
    rest.remove_prefix(1);
    return true;
}

/// The text of `UTF-8'language'percent-encoded` (RFC 5987); nothing when it is no such thing.
std::optional<std::string> extended_value(std::string_view text) {
    const auto charset_end = text.find('\'');
    if (charset_end == std::string_view::npos || !iequals(text.substr(0, charset_end), "utf-8"))
        return std::nullopt;
    const auto language_end = text.find('\'', charset_end + 1);
    if (language_end == std::string_view::npos) return std::nullopt;
    Result<std::string> decoded = percent_decode(text.substr(language_end + 1));
    if (!decoded || !valid_utf8(*decoded)) return std::nullopt;
    return *std::move(decoded);
}

std::string without_folders(std::string_view path) {
    const auto slash = path.find_last_of("/\\");
    return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

/// Reads `form-data; name="…"; filename="…"`; an empty view when it is well formed, else what is
/// wrong.
std::string_view read_disposition(std::string_view text, PartHead& head) {
    auto kind_end = std::min(text.find(';'), text.size());
    if (!iequals(trim_ows(text.substr(0, kind_end)), "form-data"))
        return "a part must be form-data";
    auto rest = text.substr(kind_end);
    std::string_view name;
    std::string value;
    bool named = false;
    std::optional<std::string> extended;
    while (!trim_ows(rest).empty()) {
        if (!take_parameter(rest, name, value)) return "malformed Content-Disposition";
        if (!valid_utf8(value)) return "a name is not UTF-8";
        if (iequals(name, "name")) {
            if (named) return "a part has two names";
            head.name = value;
            named = true;
        } else if (iequals(name, "filename")) {
            if (head.filename) return "a part has two file names";
            head.filename = without_folders(value);
        } else if (iequals(name, "filename*")) {
            if (extended) return "a part has two file names";
            extended = extended_value(value);
            if (!extended) return "a file name is not UTF-8";
        }
    }
    if (extended && !head.filename) head.filename = without_folders(*extended);
    return named ? std::string_view() : "a part has no name";
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
    auto type_end = std::min(content_type.find(';'), content_type.size());
    if (!iequals(trim_ows(content_type.substr(0, type_end)), "multipart/form-data")) {
        return Error(ErrorKind::unsupported, "not_multipart",
                     "the body is not multipart/form-data");
    }
    auto malformed =
        Error(ErrorKind::invalid, "bad_boundary", "the multipart boundary is missing or malformed");
    auto rest = content_type.substr(type_end);
    std::string_view name;
    std::string value;
    std::string boundary;
    while (!trim_ows(rest).empty()) {
        if (!take_parameter(rest, name, value)) return malformed;
        if (!iequals(name, "boundary")) continue;
        if (!boundary.empty()) return malformed;
        boundary = value;
    }
    bool valid = !boundary.empty() && boundary.size() <= 70 && boundary.back() != ' ' &&
                 std::all_of(boundary.begin(), boundary.end(), is_boundary_char);
    if (!valid) return malformed;
    return boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, MultipartLimits limits)
    : delimiter_("\r\n--" + std::string(boundary)), limits_(limits) {}

MultipartEvent MultipartParser::next(std::string_view input, PartHead& head) {
    std::size_t consumed = 0;
    while (true) {
        auto event = step(input.substr(consumed), head);
        bool progress = event.kind == MultipartEvent::Kind::need_more && event.consumed > 0;
        event.consumed = consumed += event.consumed;
        if (!progress) return event;
    }
}

MultipartEvent MultipartParser::step(std::string_view input, PartHead& head) {
    switch (state_) {
        case State::start:
            return read_start(input);
        case State::preamble:
            return read_preamble(input);
        case State::after_boundary:
            return read_after_boundary(input);
        case State::part_head:
            return read_head(input, head);
        case State::data:
            return read_data(input);
        case State::epilogue:
            return {.consumed = input.size()};
        case State::failed:
            break;
    }
    return {.kind = MultipartEvent::Kind::error, .code = code_, .message = message_};
}

MultipartEvent MultipartParser::read_start(std::string_view input) {
    // The first boundary mostly stands at the very beginning, where no line ends before it.
    auto expected = std::string_view(delimiter_);
    if (!input.empty() && input.front() == '-') expected.remove_prefix(2);
    auto seen = input.substr(0, expected.size());
    if (!expected.starts_with(seen)) {
        state_ = State::preamble;
        return read_preamble(input);
    }
    if (seen.size() < expected.size()) return {};
    state_ = State::after_boundary;
    return {.consumed = expected.size()};
}

MultipartEvent MultipartParser::read_preamble(std::string_view input) {
    const std::size_t before = before_delimiter(input);
    preamble_ += before;
    if (preamble_ > limits_.preamble) {
        return fail("missing_boundary", "the body does not begin with the boundary");
    }
    if (!input.substr(before).starts_with(delimiter_)) return {.consumed = before};
    state_ = State::after_boundary;
    return {.consumed = before + delimiter_.size()};
}

MultipartEvent MultipartParser::read_after_boundary(std::string_view input) {
    if (!input.empty() && is_space(input.front())) {
        const auto end = std::min(input.find_first_not_of(" \t"), input.size());
        padding_ += end;
        if (padding_ > limits_.header_bytes) {
            return fail("bad_boundary", "too much white space follows a boundary");
        }
        return {.consumed = end};
    }
    if (input.size() < 2) return {};
    if (padding_ == 0 && input.starts_with("--")) {
        state_ = State::epilogue;
        return {.kind = MultipartEvent::Kind::done, .consumed = 2};
    }
    if (!input.starts_with("\r\n"))
        return fail("bad_boundary", "a boundary must be followed by CR LF or --");
    padding_ = 0;
    if (++parts_ > limits_.parts) return fail("too_many_parts", "the body has too many parts");
    state_ = State::part_head;
    return {.consumed = 2};
}

MultipartEvent MultipartParser::read_head(std::string_view input, PartHead& head) {
    if (input.starts_with("\r\n"))
        return fail("bad_part_header", "a part needs one Content-Disposition");
    auto end = input.find("\r\n\r\n", scanned_);
    if (end == std::string_view::npos ? input.size() > limits_.header_bytes + 3
                                      : end > limits_.header_bytes) {
        return fail("part_headers_too_large", "the headers of a part are too large");
    }
    if (end == std::string_view::npos) {
        scanned_ = input.size() < 3 ? 0 : input.size() - 3;
        return {};
    }
    scanned_ = 0;
    head = PartHead{.headers = std::move(head.headers)};
    head.headers.clear();
    auto rest = input.substr(0, end);
    while (!rest.empty()) {
        auto line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(std::min(rest.size(), line.size() + 2));
        auto colon = line.find(':');
        auto name = line.substr(0, colon);
        auto value = colon == std::string_view::npos ? "" : trim_ows(line.substr(colon + 1));
        if (colon == std::string_view::npos || !Headers::valid_name(name) ||
            !Headers::valid_value(value)) {
            return fail("bad_part_header", "a header of a part is malformed");
        }
        if (head.headers.size() == limits_.header_count) {
            return fail("part_headers_too_large", "the headers of a part are too many");
        }
        head.headers.add(name, value);
    }
    if (head.headers.count("content-disposition") != 1) {
        return fail("bad_part_header", "a part needs one Content-Disposition");
    }
    if (auto fault = read_disposition(head.headers.get("content-disposition"), head);
        !fault.empty()) {
        return fail("bad_part_header", fault);
    }
    head.content_type = std::string(head.headers.get("content-type"));
    state_ = State::data;
    return {.kind = MultipartEvent::Kind::part, .consumed = end + 4};
}

/// How much stands before the delimiter, or before what could still become it.
std::size_t MultipartParser::before_delimiter(std::string_view input) const {
    auto at = input.find(delimiter_);
    if (at != std::string_view::npos) return at;
    at = input.size() - std::min(input.size(), delimiter_.size() - 1);
    at = input.find('\r', at);
    while (at != std::string_view::npos && !delimiter_.starts_with(input.substr(at)))
        at = input.find('\r', at + 1);
    return std::min(at, input.size());
}

MultipartEvent MultipartParser::read_data(std::string_view input) {
    const std::size_t at = before_delimiter(input);
    if (at == 0) {
        if (!input.starts_with(delimiter_)) return {};
        state_ = State::after_boundary;
        return {.kind = MultipartEvent::Kind::part_end, .consumed = delimiter_.size()};
    }
    return {.kind = MultipartEvent::Kind::data, .consumed = at, .data = input.substr(0, at)};
}

MultipartEvent MultipartParser::fail(std::string_view code, std::string_view message) {
    state_ = State::failed;
    code_ = code;
    message_ = message;
    return {.kind = MultipartEvent::Kind::error, .code = code, .message = message};
}

}  // namespace bennu::net
