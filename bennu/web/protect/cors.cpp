#include "bennu/web/protect/cors.hpp"

#include <algorithm>

#include "bennu/web/origin.hpp"
#include "bennu/web/protect/force_ssl.hpp"

namespace bennu {

namespace {

std::string comma_list(const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
    return out;
}

void vary(net::Headers& headers, std::string_view name) {
    if (!headers.has_token("vary", name)) headers.add("vary", name);
}

}  // namespace

Cors::Cors(CorsOptions options) : options_(std::move(options)) {
    any_ = std::ranges::find(options_.origins, "*") != options_.origins.end();
}

Result<> Cors::start(const EndpointOptions&) {
    if (options_.origins.empty()) {
        return Error(ErrorKind::invalid, "bad_cors", "Cors needs the sites that it permits");
    }
    if (any_ && options_.credentials == CorsOptions::Credentials::allowed) {
        return Error(ErrorKind::invalid, "bad_cors",
                     "every site with credentials would give the users' data to all of them");
    }
    return {};
}

bool Cors::covers(const Conn& conn) const {
    return options_.paths.empty() ||
           std::ranges::any_of(options_.paths, [&](const std::string& prefix) {
               return path_is_under(conn.path(), prefix);
           });
}

/// What every answer to a page says, if it is permitted.
void Cors::permit(const Conn& conn, net::Headers& headers) const {
    if (!any_) vary(headers, "Origin");
    std::string_view origin = conn.header("origin");
    if (origin.empty() || (!any_ && !origin_listed(origin, options_.origins))) return;
    headers.set("access-control-allow-origin", any_ ? "*" : origin);
    if (options_.credentials == CorsOptions::Credentials::allowed) {
        headers.set("access-control-allow-credentials", "true");
    }
}

detail::PlugResult Cors::before(const Conn& conn) const {
    if (conn.method() != net::Method::options || conn.header("origin").empty() ||
        conn.header("access-control-request-method").empty() || !covers(conn)) {
        return std::nullopt;
    }
    Response response = no_content(conn);
    vary(response.headers, "Access-Control-Request-Method");
    vary(response.headers, "Access-Control-Request-Headers");
    permit(conn, response.headers);
    if (response.headers.contains("access-control-allow-origin")) {
        auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.max_age).count();
        response.headers.set("access-control-allow-methods", comma_list(options_.methods));
        response.headers.set("access-control-allow-headers", comma_list(options_.headers));
        response.headers.set("access-control-max-age", std::to_string(seconds));
    }
    return response;
}

void Cors::after(const Conn& conn, Response& response) const {
    if (!covers(conn)) return;
    permit(conn, response.headers);
    if (!options_.expose.empty() && response.headers.contains("access-control-allow-origin")) {
        response.headers.set("access-control-expose-headers", comma_list(options_.expose));
    }
}

}  // namespace bennu
