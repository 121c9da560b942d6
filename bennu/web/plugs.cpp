#include "bennu/web/plugs.hpp"

#include <algorithm>
#include <array>

#include "bennu/base/bytes.hpp"
#include "bennu/base/log.hpp"
#include "bennu/base/random.hpp"
#include "bennu/web/negotiation.hpp"
#include "bennu/web/origin.hpp"
#include "bennu/web/parameter_filter.hpp"
#include "bennu/web/router.hpp"

namespace bennu {

namespace {

/// Types that a browser treats as documents, whose scripts a policy must hold.
bool is_document(std::string_view type) {
    return type.starts_with("text/html") || type.starts_with("image/svg") || type.contains("xml") ||
           type.starts_with("application/pdf");
}

struct Nonce {
    std::string text;
};

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
            {"path", shown_path(conn)},
            {"status", response.status},
            {"duration", took},
            {"bytes", response.body_size().value_or(0)},
            {"request_id", conn.request_id()},
            {"peer", conn.remote_ip()}});
    if (parameters == Parameters::left_out) return;
    log_at(level, "request parameters",
           {{"request_id", conn.request_id()}, {"parameters", shown_parameters(conn)}});
}

std::string_view csp_nonce(const Conn& conn) {
    if (Nonce* nonce = conn.find<Nonce>()) return nonce->text;
    std::array<std::byte, 16> bytes;
    secure_random(bytes);
    return conn.assign(Nonce{base64url_encode(as_text(bytes))}).text;
}

SecureHeaders::SecureHeaders(ContentPolicy policy, TransportPolicy transport)
    : policy_(std::move(policy.whole)) {
    if (transport.max_age > Duration::zero()) {
        auto seconds = std::chrono::duration_cast<std::chrono::seconds>(transport.max_age);
        transport_ = "max-age=" + std::to_string(seconds.count());
        if (transport.subdomains == TransportPolicy::Subdomains::included) {
            transport_ += "; includeSubDomains";
        }
    }
    if (!policy_.empty()) return;
    std::vector<std::pair<std::string, std::string>> directives = {
        {"default-src", "'self'"},
        {"script-src", "'self'NONCE"},
        {"style-src", "'self'NONCE"},
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

std::string SecureHeaders::policy_for(std::string_view host, std::string_view nonce) const {
    std::string out;
    std::string_view rest = policy_;
    while (true) {
        std::size_t at = std::min(rest.find("HOST"), rest.find("NONCE"));
        out += rest.substr(0, at);
        if (at == std::string_view::npos) return out;
        rest.remove_prefix(at);
        if (rest.starts_with("HOST")) {
            // A host with characters of its own meaning could write a policy of its own.
            out += plain_host(host) ? host : "localhost";
            rest.remove_prefix(4);
        } else {
            if (!nonce.empty()) out.append(" 'nonce-").append(nonce).append("'");
            rest.remove_prefix(5);
        }
    }
}

void SecureHeaders::after(const Conn& conn, Response& response) const {
    net::Headers& headers = response.headers;
    put(headers, "x-content-type-options", "nosniff");
    if (conn.scheme() == Scheme::https && !transport_.empty() && !is_local_name(conn.host())) {
        put(headers, "strict-transport-security", transport_);
    }
    if (!is_document(response.content_type())) return;
    if (!headers.contains("content-security-policy")) {
        const Nonce* nonce = conn.find<Nonce>();
        headers.add("content-security-policy",
                    policy_for(conn.host(), nonce ? nonce->text : std::string_view()));
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
