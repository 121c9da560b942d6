#include "bennu/web/development/live_reload.hpp"

#include <cstdlib>

#include "bennu/base/json.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/development/build_status.hpp"
#include "bennu/web/development/content_policy.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/event_stream.hpp"
#include "embedded/live_reload_files.hpp"

namespace bennu {

namespace {

constexpr std::string_view events_path = "/bennu/live-reload";
constexpr std::string_view script_path = "/bennu/live-reload.js";

std::string as_json(const BuildStatus& status, std::uint64_t version) {
    return to_json(Json::object({{"version", static_cast<std::int64_t>(version)},
                                 {"state", to_string(status.state)},
                                 {"output", status.output}}));
}

Task<Result<>> tell(EventWriter out, std::string file, Duration every, std::uint64_t version) {
    std::optional<BuildStatus> told;
    while (true) {
        // A file that is just not there, or half written, is read again soon.
        Result<BuildStatus> status = co_await offload([file] { return read_build_status(file); });
        if (status && told != *status) {
            co_await require(out.send({.data = as_json(*status, version)}));
            told = *std::move(status);
        }
        co_await sleep(every);
    }
}

}  // namespace

Result<> LiveReload::start(const EndpointOptions& options) {
    if (options.environment != Environment::dev) return {};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
    const char* named = ::getenv("BENNU_BUILD_STATUS");
    if (options_.status_file.empty() && named) options_.status_file = named;
    if (options_.status_file.empty()) return {};
    Result<BuildStatus> status = read_build_status(options_.status_file);
    if (!status) return std::move(status).error();
    version_ = status->version;
    active_ = true;
    return {};
}

std::optional<Response> LiveReload::before(const Conn& conn) const {
    if (!active_) return std::nullopt;
    if (conn.path() == events_path) return events(conn);
    if (conn.path() == script_path) {
        return Response(200, "text/javascript", std::string(live_reload_files().front().bytes))
            .with_header("cache-control", "no-store");
    }
    // The script goes into text.
    conn.state().request.head.headers.erase("accept-encoding");
    return std::nullopt;
}

Response LiveReload::events(const Conn& conn) const {
    return sse(conn,
               [file = options_.status_file, every = options_.look_every,
                version = version_] [[clang::coro_wrapper]] (EventWriter out) {
                   return tell(std::move(out), file, every, version);
               },
               {.retry = std::chrono::milliseconds(300)});
}

void LiveReload::after(const Conn&, Response& response) const {
    if (!active_ || !response.content_type().starts_with("text/html")) return;
    const std::string_view page = response.body_view();
    const std::size_t end = page.rfind("</body>");
    if (end == std::string_view::npos) return;
    const std::string policy(response.headers.get("content-security-policy"));
    std::string script = "<script";
    if (const std::string_view nonce = script_nonce(policy); !nonce.empty())
        script.append(" nonce=\"").append(nonce).append("\"");
    script.append(" src=\"").append(script_path).append("?version=");
    script.append(std::to_string(version_)).append("\"></script>");
    std::string text(page.substr(0, end));
    text.append(script).append(page.substr(end));
    response.body = std::move(text);
    // A page that stayed the same must not be answered 304: its script names another program.
    response.headers.erase("etag");
    response.headers.set("cache-control", "no-store");
    if (!policy.empty()) response.headers.set("content-security-policy", allow_own_site(policy));
}

}  // namespace bennu
