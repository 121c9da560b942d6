// The site that the rows of `./bench web` are measured on: router, plugs and access log as an app
// has them.
#include <time.h>

#include <charconv>
#include <cstdio>
#include <string>

#include "bennu/base/log.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/health.hpp"
#include "bennu/web/plugs.hpp"

using namespace bennu;

namespace {

struct Options {
    EndpointOptions endpoint;
    std::string log;     ///< a file; empty: standard error
    std::string folder;  ///< with the files that /files serves
};

/// Uses this thread's processor for so long, as a handler that computes does.
void burn(Duration how_long) {
    auto spent = [] {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    };
    const auto end = spent() + how_long;
    while (spent() < end) {}
}

std::shared_ptr<Router> routes(const Options& options) {
    auto router = std::make_shared<Router>();
    router->plug(AccessLog{});
    router->plug(SecureHeaders{});
    router->get("/json",
                [](Conn conn) { return json(conn, Json::object({{"message", "hello"}})); });
    router->get("/1k", [body = make_shared_value<std::string>(1024, 'x')](Conn) {
        return Response(200, text_type, body);
    });
    // A millisecond of work, which is what overload is about: where answering costs no more than
    // turning away, nothing is won by it.
    router->get("/work", [](Conn conn) {
        burn(std::chrono::milliseconds(1));
        return text(conn, 200, "done");
    });
    // Its shard is busy for nearly all the time, in pieces as long as a careless handler's.
    router->get("/hog", [](Conn conn) {
        burn(std::chrono::milliseconds(100));
        return text(conn, 200, "burnt");
    });
    auto ready = std::make_shared<ReadyFlag>();
    ready->set(true);
    health_routes(*router, std::move(ready));
    if (!options.folder.empty()) {
        router->files("/files", StaticFiles::directory(options.folder).value());
    }
    return router;
}

Task<Result<>> serve(Options options) {
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint(options.endpoint, routes(options)));
    co_await require(supervise({.strategy = one_for_one}, std::move(children)));
    co_await stop_requested();
    co_return {};
}

bool parse(int argc, char** argv, Options& options) {
    CertificateFiles certificate;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i], value = argv[i + 1];
        auto number = [&value](auto& into) {
            return std::from_chars(value.begin(), value.end(), into) ==
                   std::from_chars_result{value.end(), std::errc()};
        };
        bool known = true;
        if (name == "--port") {
            known = number(options.endpoint.port);
        } else if (name == "--per-ip") {
            known = number(options.endpoint.per_ip);
        } else if (name == "--log") {
            options.log = value;
        } else if (name == "--folder") {
            options.folder = value;
        } else if (name == "--certificate") {
            certificate.certificate_file = value;
        } else if (name == "--key") {
            certificate.key_file = value;
        } else {
            known = false;
        }
        if (!known) return false;
    }
    if (!certificate.key_file.empty()) {
        options.endpoint.tls.certificates.push_back(std::move(certificate));
    }
    return argc % 2 == 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    options.endpoint.secret = Secret(std::string(32, 's'));
    if (!parse(argc, argv, options)) {
        std::fprintf(stderr,
                     "usage: bench_web_server [--port P] [--per-ip N] [--log FILE] [--folder DIR] "
                     "[--certificate PEM --key PEM]\n");
        return 2;
    }
    if (!options.log.empty()) {
        if (Result<> opened = configure_log({.output = options.log}); !opened) {
            std::fprintf(stderr, "%s\n", opened.error().describe().c_str());
            return 1;
        }
    }
    return run({}, [options]() -> Task<Result<>> { co_return co_await serve(options); });
}
