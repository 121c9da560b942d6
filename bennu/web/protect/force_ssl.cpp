#include "bennu/web/protect/force_ssl.hpp"

#include <algorithm>

#include "bennu/web/origin.hpp"

namespace bennu {

bool path_is_under(std::string_view path, std::string_view prefix) {
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

detail::PlugResult ForceSsl::before(const Conn& conn) const {
    if (conn.scheme() == Scheme::https) return std::nullopt;
    auto spared_host = [&](const std::string& host) { return host_matches(host, conn.host()); };
    auto spared_path = [&](const std::string& path) { return path_is_under(conn.path(), path); };
    if (std::ranges::any_of(options_.except_hosts, spared_host) ||
        std::ranges::any_of(options_.except_paths, spared_path)) {
        return std::nullopt;
    }
    std::string_view host =
        options_.host.empty() ? host_without_port(conn.host()) : std::string_view(options_.host);
    if (!plain_host(host)) {
        return error_status(conn, 400, "bad_host", "This host cannot be served over HTTPS.");
    }
    std::string url = "https://" + std::string(host) + std::string(conn.path());
    if (!conn.query_string().empty()) url.append("?").append(conn.query_string());
    bool reads = conn.method() == net::Method::get || conn.method() == net::Method::head;
    return redirect_external(conn, url, {.status = reads ? 301 : 308});
}

}  // namespace bennu
