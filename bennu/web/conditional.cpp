#include "bennu/web/conditional.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http_date.hpp"
#include "bennu/net/http_range.hpp"

namespace bennu {

namespace {

enum class Comparison : std::uint8_t { strong, weak };

/// Whether a list of entity tags (or `*`) holds this one. A tag may contain commas.
bool lists_tag(std::string_view list, std::string_view tag, Comparison comparison) {
    if (trim(list) == "*") return true;
    if (tag.starts_with("W/")) {
        if (comparison == Comparison::strong) return false;
        tag.remove_prefix(2);
    }
    while (true) {
        std::size_t quote = list.find('"');
        if (quote == std::string_view::npos) return false;
        bool weak = quote >= 2 && list.substr(quote - 2, 2) == "W/";
        std::size_t end = list.find('"', quote + 1);
        if (end == std::string_view::npos) return false;
        std::string_view item = list.substr(quote, end + 1 - quote);
        if (item == tag && (!weak || comparison == Comparison::weak)) return true;
        list.remove_prefix(end + 1);
    }
}

std::optional<Timestamp> date_in(std::string_view field) {
    if (field.empty()) return std::nullopt;
    return net::parse_http_date(field, on_shard() ? wall_now() : system_now());
}

enum class Verdict : std::uint8_t { go_on, not_modified, failed };

/// RFC 9110, 13.2.2, up to Range.
Verdict judge(const Conn& conn, std::string_view tag, std::optional<Timestamp> changed) {
    const bool reads = conn.method() == net::Method::get || conn.method() == net::Method::head;
    std::string_view match = conn.header("if-match"), none = conn.header("if-none-match");
    bool held = true;
    if (!match.empty()) {
        held = lists_tag(match, tag, Comparison::strong);
    } else if (auto since = date_in(conn.header("if-unmodified-since")); since && changed) {
        held = *changed <= *since;
    }
    if (!held) return Verdict::failed;
    if (!none.empty()) {
        if (!lists_tag(none, tag, Comparison::weak)) return Verdict::go_on;
        return reads ? Verdict::not_modified : Verdict::failed;
    }
    if (!reads || !changed) return Verdict::go_on;
    auto since = date_in(conn.header("if-modified-since"));
    return since && *changed <= *since ? Verdict::not_modified : Verdict::go_on;
}

Response precondition_failed(const Conn& conn) {
    return error_status(conn, 412, "precondition_failed", "It is another version by now.");
}

bool is_tag(std::string_view text) {
    if (text.starts_with("W/")) text.remove_prefix(2);
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    return std::ranges::all_of(text.substr(1, text.size() - 2),
                               [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"'; });
}

void not_modified(Response& response) {
    response.status = 304;
    for (std::string_view name : {"content-type", "content-encoding", "content-disposition"})
        response.headers.erase(name);
    response.body = std::string();
}

bool wants_range(const Conn& conn, std::string_view tag, std::string_view modified) {
    if (conn.method() != net::Method::get || conn.header("range").empty()) return false;
    std::string_view condition = conn.header("if-range");
    if (condition.empty()) return true;
    if (condition.starts_with('"')) return !tag.empty() && condition == tag;
    return !modified.empty() && condition == modified;
}

void cut(Response& response, const net::RangeRequest& range, std::uint64_t size) {
    response.status = 206;
    response.headers.set("content-range", "bytes " + std::to_string(range.first) + "-" +
                                              std::to_string(range.first + range.length - 1) + "/" +
                                              std::to_string(size));
    if (auto* file = std::get_if<net::FileBody>(&response.body)) {
        file->offset += range.first;
        file->length = range.length;
    } else {
        response.body = std::string(response.body_view().substr(range.first, range.length));
    }
}

}  // namespace

void apply_conditions(const Conn& conn, Response& response) {
    bool reads = conn.method() == net::Method::get || conn.method() == net::Method::head;
    if (response.status != 200 || !reads) return;
    std::string tag(response.headers.get("etag"));
    std::string modified(response.headers.get("last-modified"));
    auto changed = date_in(modified);

    switch (judge(conn, tag, changed)) {
        case Verdict::go_on:
            break;
        case Verdict::not_modified:
            return not_modified(response);
        case Verdict::failed:
            response = precondition_failed(conn);
            return;
    }

    std::optional<std::uint64_t> size = response.body_size();
    if (!size) return;
    response.headers.set("accept-ranges", "bytes");
    if (!wants_range(conn, tag, modified)) return;
    net::RangeRequest range = net::read_range(conn.header("range"), *size);
    if (range.kind == net::RangeRequest::Kind::part) {
        cut(response, range, *size);
    } else if (range.kind == net::RangeRequest::Kind::unsatisfiable) {
        response = error_status(conn, 416, "range_not_satisfiable", "There are not so many bytes.")
                       .with_header("content-range", "bytes */" + std::to_string(*size));
    }
}

Response with_version(Response response, const Version& version) {
    if (!version.etag.empty()) {
        if (!is_tag(version.etag)) throw std::invalid_argument("no entity tag: " + version.etag);
        response.headers.set("etag", version.etag);
    }
    if (version.modified)
        response.headers.set("last-modified", net::HttpDate().at(*version.modified));
    return response;
}

std::optional<Response> if_unchanged(const Conn& conn, const Version& version) {
    std::optional<Timestamp> modified = version.modified;
    if (modified) {
        const std::chrono::milliseconds time(modified->ms);
        modified = Timestamp{} + std::chrono::floor<std::chrono::seconds>(time);
    }
    switch (judge(conn, version.etag, modified)) {
        case Verdict::go_on:
            return std::nullopt;
        case Verdict::not_modified:
            return with_version(Response(304), version);
        case Verdict::failed:
            break;
    }
    return precondition_failed(conn);
}

}  // namespace bennu
