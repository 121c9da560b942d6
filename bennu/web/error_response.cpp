#include "bennu/base/log.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/error_json.hpp"
#include "bennu/web/error_page.hpp"

namespace bennu {

namespace {

constexpr std::string_view hidden = "Something went wrong on our side.";

std::string errors_json(const Error& error, std::string_view message) {
    std::string out = "{\"errors\":[";
    append_error_entries(out, error, message);
    out += "]}";
    return out;
}

/// What a person reads: the first field's message, or the error's own.
std::string page_message(const Error& error, std::string_view message) {
    if (error.fields().empty()) return std::string(message);
    const FieldError& first = error.fields().front();
    return first.field.empty() ? first.message : first.field + " " + first.message;
}

}  // namespace

int status_of(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::invalid:
            return error.fields().empty() ? 400 : 422;
        case ErrorKind::unauthorized:
            return 401;
        case ErrorKind::forbidden:
            return 403;
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::conflict:
            return 409;
        case ErrorKind::too_large:
            return 413;
        case ErrorKind::unsupported:
            return 415;
        case ErrorKind::overloaded:
            return error.code() == "rate_limited" ? 429 : 503;
        case ErrorKind::timeout:
            return 504;
        case ErrorKind::cancelled:
        case ErrorKind::closed:
        case ErrorKind::unavailable:
            return 503;
        case ErrorKind::io:
        case ErrorKind::internal:
            return 500;
    }
    return 500;
}

namespace detail {

Response render_error(const Conn* conn, int status, const Error& error) {
    const bool ours = is_internal(error);
    const bool open = conn && conn->development();
    std::string_view message = error.message();
    if (ours && !open) message = hidden;
    if (message.empty()) message = net::reason_phrase(status);
    Response response;
    if (conn && conn->wants_html()) {
        ErrorPage page{.status = status, .message = page_message(error, message)};
        page.request_id = conn->request_id();
        if (open) page.detail = error.describe();
        response = render_error_page(page);
    } else {
        response = Response(status, json_type, errors_json(error, message));
    }
    if (status == 503 || status == 429) response.headers.add("retry-after", "1");
    return response;
}

}  // namespace detail

Response error(const Conn& conn, const Error& error, ErrorOptions options) {
    int status = options.status ? options.status : status_of(error);
    if (is_internal(error)) {
        log_error("request failed",
                  {{"request_id", conn.request_id()}, {"path", conn.path()}, {"error", error}});
    }
    return detail::render_error(&conn, status, error);
}

Response not_found(const Conn& conn) {
    return detail::render_error(&conn, 404,
                                Error(ErrorKind::not_found, "not_found", "There is nothing here."));
}

Response error_status(const Conn& conn, int status, std::string_view code,
                      std::string_view message) {
    return detail::render_error(&conn, status,
                                Error(ErrorKind::invalid, std::string(code), std::string(message)));
}

}  // namespace bennu
