#include "apps/assetronics/web/params.hpp"

#include <algorithm>
#include <charconv>

#include "bennu/base/utf8.hpp"
#include "bennu/net/url.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

/// Longer ones would only make the database refuse the query.
constexpr std::size_t longest_value = 2000;

std::string decoded(std::string_view text) {
    Result<std::string> plain = net::percent_decode(text, net::PlusSign::space);
    if (!plain) throw RequestError(std::move(plain).error(), 400);
    if (!valid_utf8(*plain)) {
        throw RequestError(
            Error(ErrorKind::invalid, "invalid_utf8", "the query string is not valid UTF-8"), 400);
    }
    return *std::move(plain);
}

[[noreturn]] void refuse(std::string_view name, std::string code, std::string message) {
    throw RequestError(Error::field(std::string(name), std::move(code), std::move(message)), 400);
}

std::int64_t number(const std::string& name, std::string_view text, std::int64_t high) {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size() || value < 1 || value > high) {
        refuse(name, "out_of_range", "must be a number from 1 to " + std::to_string(high));
    }
    return value;
}

}  // namespace

QueryParams query_params(const Conn& conn) {
    QueryParams params;
    std::string_view rest = conn.query_string();
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        std::string_view value = pair.substr(equals);
        if (!value.empty()) value.remove_prefix(1);
        params.emplace_back(decoded(pair.substr(0, equals)), decoded(value));
        if (params.back().second.size() > longest_value) {
            refuse(params.back().first, "too_long", "must have at most 2000 bytes");
        }
        if (params.size() > 100) {
            throw RequestError(Error(ErrorKind::invalid, "too_many_parameters",
                                     "a query string may have 100 parameters"),
                               400);
        }
    }
    return params;
}

void allow_query(const Conn& conn, std::initializer_list<std::string_view> names) {
    for (const auto& [name, value] : query_params(conn)) {
        if (std::ranges::find(names, name) == names.end()) {
            refuse(name, "unknown", "is not a known parameter");
        }
    }
}

PageRequest page_params(const Conn& conn) {
    PageRequest request;
    for (const auto& [name, value] : query_params(conn)) {
        if (name == "page") {
            request.page = number(name, value, 1'000'000'000);
        } else if (name == "page_size") {
            request.page_size = number(name, value, 100);
        } else {
            refuse(name, "unknown", "is not a known parameter");
        }
    }
    return request;
}

Json json_object(const Conn& conn) {
    if (conn.body().empty()) return Json::object();
    const Json& body = conn.body_json();
    if (!body.is_object()) {
        throw RequestError(Error::field("", "type", "the body must be a JSON object"), 422);
    }
    return body;
}

Response list_error(const Conn& conn, const Error& failure) {
    const bool ours_not = failure.kind() == ErrorKind::invalid;
    return error(conn, failure, {.status = ours_not ? 400 : 0});
}

}  // namespace assetronics::web
