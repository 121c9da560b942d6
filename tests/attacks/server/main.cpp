// A bank, as its visitors' browsers and those who want their money see it. What stands in for
// protection is what any app of the platform would write; one page, /mistake, has the hole that a
// policy is there for.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "bennu/channel/socket.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/download.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/html_escape.hpp"
#include "bennu/web/method_override.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/protect/cors.hpp"
#include "bennu/web/protect/forgery.hpp"
#include "bennu/web/session/sessions.hpp"

using namespace bennu;

namespace attacks {

std::atomic<std::int64_t> transfers = 0;

std::string user_of(const Conn& conn) {
    return conn.session().get<std::string>("user").value_or("");
}

Response page(const Conn& conn, std::string body) {
    return html(
        conn, 200,
        "<!doctype html><html><head><title>Bank</title></head><body>" + body + "</body></html>");
}

Response home(Conn conn) {
    std::string body = "<p id=\"user\">";
    append_html(body, user_of(conn));
    body += "</p><form method=\"post\" action=\"/transfer\">" + csrf_field(conn) +
            "<input name=\"amount\" value=\"1\"><button>Send</button></form>";
    return page(conn, std::move(body));
}

Response log_in(Conn conn) {
    conn.session().renew();
    conn.session().put("user", conn.body_params()["user"]);
    return redirect(conn, "/");
}

Response transfer(Conn conn) {
    if (user_of(conn).empty()) return error_status(conn, 401, "login", "Log in first.");
    ++transfers;
    return redirect(conn, "/");
}

Response account(Conn conn) {
    return json(conn, Json::object({{"user", user_of(conn)}, {"transfers", transfers.load()}}));
}

Response search(Conn conn) {
    std::string body = "<p title=\"";
    const std::string asked = conn.query<std::string>("q").value_or("");
    append_html(body, asked);
    body += "\">";
    append_html(body, asked);
    return page(conn, body + "</p>");
}

/// What a careless author writes.
Response mistake(Conn conn) {
    return page(conn, "<p>" + conn.query<std::string>("q").value_or("") + "</p>");
}

Response go(Conn conn) {
    return redirect(conn, local_path(conn.query<std::string>("to").value_or("/")));
}

Response picture(Conn conn) {
    return send_download(conn, "<script>document.title = 'stolen'</script>",
                         {.filename = "picture.html"});
}

struct Feed : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
};

std::shared_ptr<Router> routes() {
    auto router = std::make_shared<Router>();
    router->plug(SecureHeaders{});
    router->plug(MethodOverride{});
    router->plug(Cors({.origins = {"https://partner.example"},
                       .credentials = CorsOptions::Credentials::allowed}));
    router->scope("", {Sessions{}, ProtectFromForgery{}}, [](RouteScope& site) {
        site.get("/", home);
        site.post("/login", log_in);
        site.post("/transfer", transfer);
        site.delete_("/transfer", transfer);
        site.get("/account", account);
        site.get("/search", search);
        site.get("/mistake", mistake);
        site.get("/go", go);
        site.get("/picture", picture);
    });
    mount_socket(*router,
                 {.path = "/socket", .channels = {channel<Feed>("feed")}, .exact_origin = true});
    return router;
}

/// With a certificate over TLS, and so over HTTP/2 with browsers.
Task<Result<>> serve(std::uint16_t port, CertificateFiles certificate) {
    EndpointOptions options{.port = port,
                            .environment = Environment::test,
                            .secret = Secret("thirty-two bytes that nobody else knows")};
    if (!certificate.key_file.empty()) options.tls.certificates = {std::move(certificate)};
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint(std::move(options), routes()));
    co_await require(supervise({.strategy = one_for_one}, std::move(children)));
    std::printf("the bank is ready at port %d\n", port);
    std::fflush(stdout);
    co_await stop_requested();
    co_return {};
}

}  // namespace attacks

int main(int argc, char** argv) {
    std::uint16_t port = 0;
    const std::string_view value = argc == 2 || argc == 4 ? argv[1] : "";
    if (std::from_chars(value.begin(), value.end(), port) !=
        std::from_chars_result{value.end(), std::errc()}) {
        std::fprintf(stderr, "usage: attacks_site PORT [CERTIFICATE KEY]\n");
        return 2;
    }
    CertificateFiles certificate;
    if (argc == 4) certificate = {.certificate_file = argv[2], .key_file = argv[3]};
    return run({}, [port, certificate]() -> Task<Result<>> {
        co_return co_await attacks::serve(port, certificate);
    });
}
