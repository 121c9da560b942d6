#include "bennu/net/http_response.hpp"

#include <charconv>

#include "bennu/base/ascii.hpp"

namespace bennu::net {

namespace {

void append_number(std::string& out, std::uint64_t number, int base = 10) {
    char digits[20];
    auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

/// `name: value` and the line's end, in one step: an answer has several.
void append_field(std::string& out, std::string_view name, std::string_view value) {
    const std::size_t at = out.size();
    const std::size_t size = at + name.size() + value.size() + 4;
    out.resize_and_overwrite(size, [&](char* to, std::size_t) {
        to += at;
        to += name.copy(to, name.size());
        *to++ = ':';
        *to++ = ' ';
        to += value.copy(to, value.size());
        *to++ = '\r';
        *to++ = '\n';
        return size;
    });
}

bool is_framing_field(std::string_view name) {
    switch (name.size()) {
        case 4:
            return iequals(name, "date");
        case 10:
            return iequals(name, "connection") || iequals(name, "keep-alive");
        case 14:
            return iequals(name, "content-length");
        case 17:
            return iequals(name, "transfer-encoding");
        default:
            return false;
    }
}

}  // namespace

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 103:
            return "Early Hints";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 203:
            return "Non-Authoritative Information";
        case 204:
            return "No Content";
        case 205:
            return "Reset Content";
        case 206:
            return "Partial Content";
        case 207:
            return "Multi-Status";
        case 300:
            return "Multiple Choices";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 402:
            return "Payment Required";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 407:
            return "Proxy Authentication Required";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 423:
            return "Locked";
        case 424:
            return "Failed Dependency";
        case 425:
            return "Too Early";
        case 426:
            return "Upgrade Required";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 451:
            return "Unavailable For Legal Reasons";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "Unknown";
    }
}

void append_response_head(std::string& out, int status, const Headers& headers,
                          const ResponseFraming& framing) {
    bool informational = status >= 100 && status < 200;
    auto body = informational || status == 204 || status == 304 ? BodyFraming::none : framing.body;

    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(status));
    out.append(" ").append(reason_phrase(status)).append("\r\n");
    bool upgrade = false;
    for (auto field : headers) {
        if (field.name.size() == 7 && iequals(field.name, "upgrade")) upgrade = true;
        // The handshake of an upgrade is the one response whose Connection field its maker writes.
        bool handshake = status == 101 && iequals(field.name, "connection");
        if (is_framing_field(field.name) && !handshake) continue;
        append_field(out, field.name, field.value);
    }
    if (!framing.date.empty()) append_field(out, "date", framing.date);
    switch (body) {
        case BodyFraming::length:
            out.append("content-length: ");
            append_number(out, framing.length);
            out.append("\r\n");
            break;
        case BodyFraming::chunked:
            out.append("transfer-encoding: chunked\r\n");
            break;
        case BodyFraming::until_close:
        case BodyFraming::none:
            break;
    }
    if (!informational) {
        if (upgrade) out.append("connection: upgrade\r\n");
        if (!framing.keep_alive || body == BodyFraming::until_close) {
            out.append("connection: close\r\n");
        } else if (framing.minor_version == 0) {
            out.append("connection: keep-alive\r\n");
        }
    }
    out.append("\r\n");
}

void append_refusal(std::string& out, const Http1Refusal& refusal, std::string_view date) {
    Headers headers;
    headers.add("content-type", "text/plain; charset=utf-8");
    append_response_head(out, refusal.status, headers,
                         {.length = refusal.message.size() + 1, .keep_alive = false, .date = date});
    out.append(refusal.message).append("\n");
}

void append_chunk_size(std::string& out, std::uint64_t size) {
    append_number(out, size, 16);
    out.append("\r\n");
}

void append_last_chunk(std::string& out, const Headers& trailers) {
    out.append("0\r\n");
    for (auto field : trailers) append_field(out, field.name, field.value);
    out.append("\r\n");
}

void append_chunk(std::string& out, std::string_view data) {
    if (data.empty()) return;
    append_chunk_size(out, data.size());
    out.append(data).append("\r\n");
}

}  // namespace bennu::net
