#include <stdexcept>

#include "bennu/base/json.hpp"
#include "bennu/web/conn.hpp"

namespace bennu {

namespace {

bool is_local_path(std::string_view path) {
    if (!path.starts_with('/') || path.starts_with("//")) return false;
    for (char c : path) {
        // Browsers read a backslash as a slash and drop tabs and line breaks.
        if (c == '\\' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return false;
    }
    return true;
}

}  // namespace

Response json(const Conn& conn, int status, const Json& body) {
    return json_text(conn, status, to_json(body));
}
Response json(const Conn& conn, const Json& body) {
    return json(conn, 200, body);
}
Response json_text(const Conn&, int status, std::string text) {
    return Response(status, json_type, std::move(text));
}
Response text(const Conn&, int status, std::string body) {
    return Response(status, text_type, std::move(body));
}
Response html(const Conn&, int status, std::string body) {
    return Response(status, html_type, std::move(body));
}
Response no_content(const Conn&) {
    return Response(204);
}

Response redirect(const Conn& conn, std::string_view path, RedirectOptions options) {
    if (!is_local_path(path)) {
        throw std::invalid_argument("redirect to something that is no path of this site");
    }
    return redirect_external(conn, path, options);
}

Response redirect_external(const Conn&, std::string_view url, RedirectOptions options) {
    Response response(options.status);
    response.headers.add("location", url);
    return response;
}

std::string_view local_path(std::string_view target, std::string_view fallback) {
    return is_local_path(target) ? target : fallback;
}

}  // namespace bennu
