#include "bennu/web/error_page.hpp"

#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/web/html_escape.hpp"

namespace bennu {

namespace {

constexpr std::string_view style =
    ":root{color-scheme:light dark;--ink:#1d2733;--soft:#5c6b7a;--paper:#f6f8fa;--card:#fff;"
    "--edge:#dde3ea;--mark:#0b6bcb}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#9aa8b7;--paper:#10151b;"
    "--card:#18202a;--edge:#2b3643;--mark:#6cb6ff}}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);"
    "color:var(--ink);font:16px/1.5 system-ui,sans-serif}"
    "main{box-sizing:border-box;width:min(46rem,100%);padding:2rem;background:var(--card);"
    "border:1px solid var(--edge);border-radius:12px}"
    "p.code{margin:0;color:var(--mark);font-weight:600}"
    "h1{margin:.2rem 0 1rem;font-size:1.4rem}"
    "pre{overflow:auto;padding:1rem;background:var(--paper);border-radius:8px;font-size:.85rem}"
    "small{color:var(--soft)}a{color:var(--mark)}";

const std::string& policy() {
    static const std::string text =
        "default-src 'none'; style-src 'sha256-" + base64_encode(as_text(sha256(style))) +
        "'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
    return text;
}

}  // namespace

Response render_error_page(const ErrorPage& page) {
    std::string title =
        std::to_string(page.status) + " " + std::string(net::reason_phrase(page.status));
    std::string out =
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>";
    append_html(out, title);
    out.append("</title><style>")
        .append(style)
        .append("</style></head><body><main><p class=\"code\">");
    append_html(out, title);
    out += "</p><h1>";
    append_html(out, page.message);
    out += "</h1>";
    if (!page.detail.empty() || !page.lines.empty()) {
        out += "<pre>";
        append_html(out, page.detail);
        for (const std::string& line : page.lines) {
            out += '\n';
            append_html(out, line);
        }
        out += "</pre>";
    }
    out += "<p><a href=\"/\">Back to the start</a></p>";
    if (!page.request_id.empty()) {
        out += "<small>Request ";
        append_html(out, page.request_id);
        out += "</small>";
    }
    out += "</main></body></html>";
    Response response(page.status, html_type, std::move(out));
    response.headers.add("content-security-policy", policy());
    response.headers.add("cache-control", "no-store");
    return response;
}

}  // namespace bennu
