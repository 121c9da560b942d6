#include "bennu/base/log.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/error_json.hpp"
#include "bennu/web/error_page.hpp"
#include "bennu/web/parameter_filter.hpp"

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

namespace {

ErrorView view_of(int status, const Error& error, bool development) {
    std::string_view message = error.message();
    if (is_internal(error) && !development) message = hidden;
    if (message.empty()) message = net::reason_phrase(status);
    return {.status = status,
            .code = error.code(),
            .message = message,
            .fields = error.fields(),
            .request_id = {},
            .development = development};
}

/// What the app makes of it; nothing when it has no view, or one that fails.
std::optional<Response> shown_by(const std::function<Response(const ErrorView&)>& show,
                                 const ErrorView& view) {
    if (!show) return std::nullopt;
    try {
        return show(view);
    } catch (const std::exception& failure) {
        log_error("the view of an error failed",
                  {{"status", view.status}, {"code", view.code}, {"reason", failure.what()}});
        return std::nullopt;
    }
}

Response stock_json(const ErrorView& view, const Error& error) {
    Response response(view.status, json_type, errors_json(error, view.message));
    response.headers.add("cache-control", "no-store");
    return response;
}

Response stock_page(const ErrorView& view, const Error& error) {
    ErrorPage page{.status = view.status, .message = page_message(error, view.message)};
    page.request_id = view.request_id;
    if (view.development) page.detail = error.describe();
    return render_error_page(page);
}

/// Clients shall wait a little, unless somebody knows better for how long.
void ask_to_wait(Response& response) {
    if ((response.status == 503 || response.status == 429) &&
        !response.headers.contains("retry-after"))
        response.headers.add("retry-after", "1");
}

}  // namespace

Response render_error(const Conn& conn, int status, const Error& error) {
    ErrorView view = view_of(status, error, conn.development());
    view.request_id = conn.request_id();
    const bool html = conn.wants_html();
    const ErrorViews& views = *conn.state().errors;
    std::optional<Response> own = shown_by(html ? views.html : views.json, view);
    Response response = own    ? std::move(*own)
                        : html ? stock_page(view, error)
                               : stock_json(view, error);
    // The same request from a browser is answered with a page, from a program with JSON.
    response.headers.add("vary", "accept");
    ask_to_wait(response);
    return response;
}

Response render_error(const ErrorViews& views, int status, const Error& error) {
    const ErrorView view = view_of(status, error, false);
    std::optional<Response> own = shown_by(views.json, view);
    Response response = own ? std::move(*own) : stock_json(view, error);
    ask_to_wait(response);
    return response;
}

}  // namespace detail

Response error(const Conn& conn, const Error& error, ErrorOptions options) {
    int status = options.status ? options.status : status_of(error);
    if (is_internal(error)) {
        log_error(
            "request failed",
            {{"request_id", conn.request_id()}, {"path", shown_path(conn)}, {"error", error}});
    }
    return detail::render_error(conn, status, error);
}

Response not_found(const Conn& conn) {
    return detail::render_error(conn, 404,
                                Error(ErrorKind::not_found, "not_found", "There is nothing here."));
}

Response error_status(const Conn& conn, int status, std::string_view code,
                      std::string_view message) {
    return detail::render_error(conn, status,
                                Error(ErrorKind::invalid, std::string(code), std::string(message)));
}

}  // namespace bennu
