#include "bennu/web/plugs.hpp"

#include <algorithm>

#include "bennu/base/log.hpp"
#include "bennu/web/negotiation.hpp"
#include "bennu/web/router.hpp"

namespace bennu {

namespace {

/// Types that a browser treats as documents, whose scripts a policy must hold.
bool is_document(std::string_view type) {
    return type.starts_with("text/html") || type.starts_with("image/svg") || type.contains("xml") ||
           type.starts_with("application/pdf");
}

bool plain_host(std::string_view host) {
    return !host.empty() && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(".-:[]").contains(c);
    });
}

void put(net::Headers& headers, std::string_view name, std::string_view value) {
    if (!headers.contains(name)) headers.add(name, value);
}

}  // namespace

void RequestIds::after(const Conn& conn, Response& response) const {
    put(response.headers, "x-request-id", conn.request_id());
}

void AccessLog::after(const Conn& conn, Response& response) const {
    const Route* route = conn.route();
    LogLevel level = route ? route->options.log : LogLevel::info;
    if (response.status >= 500) level = std::max(level, LogLevel::warning);
    if (level == LogLevel::off || !log_enabled(level)) return;
    Duration took = on_shard() ? now() - conn.received() : Duration::zero();
    log_at(level, "request",
           {{"method", conn.method_text()},
            {"path", conn.path()},
            {"status", response.status},
            {"duration", took},
            {"bytes", response.body_view().size()},
            {"request_id", conn.request_id()},
            {"peer", conn.peer().host}});
}

SecureHeaders::SecureHeaders(ContentPolicy policy) : policy_(std::move(policy.whole)) {
    if (!policy_.empty()) return;
    std::vector<std::pair<std::string, std::string>> directives = {
        {"default-src", "'self'"},
        {"script-src", "'self'"},
        {"style-src", "'self'"},
        {"style-src-attr", "'unsafe-inline'"},
        {"img-src", "'self' data: blob:"},
        {"font-src", "'self' data:"},
        {"connect-src", "'self' ws://HOST wss://HOST"},
        {"object-src", "'none'"},
        {"base-uri", "'none'"},
        {"form-action", "'self'"},
        {"frame-ancestors", "'self'"},
    };
    for (auto& [name, sources] : policy.more) {
        auto present = std::ranges::find(directives, name, [](auto& d) { return d.first; });
        if (present == directives.end()) {
            directives.emplace_back(name, sources);
        } else {
            present->second += " " + sources;
        }
    }
    for (auto& [name, sources] : directives) {
        policy_ += (policy_.empty() ? "" : "; ") + name + " " + sources;
    }
}

std::string SecureHeaders::policy_for(std::string_view host) const {
    constexpr std::string_view mark = "HOST";
    std::string out;
    std::string_view rest = policy_;
    while (true) {
        std::size_t at = rest.find(mark);
        out += rest.substr(0, at);
        if (at == std::string_view::npos) return out;
        // A host with characters of its own meaning could write a policy of its own.
        out += plain_host(host) ? host : "localhost";
        rest.remove_prefix(at + mark.size());
    }
}

void SecureHeaders::after(const Conn& conn, Response& response) const {
    net::Headers& headers = response.headers;
    put(headers, "x-content-type-options", "nosniff");
    if (!is_document(response.content_type())) return;
    if (!headers.contains("content-security-policy")) {
        headers.add("content-security-policy", policy_for(conn.host()));
    }
    put(headers, "referrer-policy", "strict-origin-when-cross-origin");
    put(headers, "cross-origin-opener-policy", "same-origin");
}

void ParseBody::before(const Conn& conn) const {
    conn.body_params();
}

detail::PlugResult Accepts::before(const Conn& conn) const {
    std::string_view accept = conn.header("accept");
    for (const std::string& type : types) {
        if (media_quality(accept, type) > 0) return std::nullopt;
    }
    std::string offered;
    for (const std::string& type : types) offered += (offered.empty() ? "" : ", ") + type;
    return error_status(conn, 406, "not_acceptable", "this answers with " + offered);
}

}  // namespace bennu
