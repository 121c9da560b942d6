#include "bennu/net/client/request_steps.hpp"

#include "bennu/base/bytes.hpp"
#include "bennu/net/client/client_url.hpp"

namespace bennu::net {

namespace {

struct BaseUrl : Step {
    std::string base;
    std::string origin;

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        if (request.url.find("://") == std::string::npos) {
            if (!request.url.empty() && !std::string_view("/?").contains(request.url.front()))
                request.url.insert(0, "/");
            request.url.insert(0, base);
        }
        // Read as a whole: `@evil` after a host without a path would be another host.
        ClientUrl url = co_await require(parse_client_url(request.url));
        if (url.origin() != origin || !url.user.empty())
            co_return Error(ErrorKind::invalid, "other_origin",
                            "this client asks " + origin + " only");
        Result<ClientResponse> answer = co_await next(std::move(request));
        co_return answer;
    }
};

struct DefaultHeader : Step {
    std::string name;
    Secret value;

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        if (!request.headers.contains(name)) request.headers.add(name, value.reveal());
        Result<ClientResponse> answer = co_await next(std::move(request));
        co_return answer;
    }
};

StepPtr header_step(std::string name, Secret value) {
    if (!Headers::valid_name(name) || !Headers::valid_value(value.reveal()))
        throw std::invalid_argument("no such header can be sent: " + name);
    auto step = std::make_shared<DefaultHeader>();
    step->name = std::move(name);
    step->value = std::move(value);
    return step;
}

struct Attempts : Step {
    AttemptLimits limits;

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        request.connect_timeout = limits.connect;
        request.head_timeout = limits.head;
        if (limits.max_body) request.max_body = std::min(request.max_body, *limits.max_body);
        request.idle_timeout = std::min(request.idle_timeout, limits.idle);
        Result<ClientResponse> answer = co_await next(std::move(request));
        co_return answer;
    }
};

ErrorKind kind_of(int status) {
    switch (status) {
        case 400:
        case 422:
            return ErrorKind::invalid;
        case 401:
            return ErrorKind::unauthorized;
        case 403:
            return ErrorKind::forbidden;
        case 404:
            return ErrorKind::not_found;
        case 409:
            return ErrorKind::conflict;
        case 413:
            return ErrorKind::too_large;
        case 429:
            return ErrorKind::overloaded;
        case 504:
            return ErrorKind::timeout;
        default:
            return status >= 500 ? ErrorKind::unavailable : ErrorKind::unsupported;
    }
}

struct ExpectSuccess : Step {
    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        Result<ClientResponse> answer = co_await next(std::move(request));
        if (!answer || answer->ok()) co_return answer;
        const std::string status = std::to_string(answer->status);
        co_return Error(kind_of(answer->status), "http_" + status, "the server answered " + status);
    }
};

struct Redirects : Step {
    RedirectOptions options;

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        for (int followed = 0;; ++followed) {
            Result<ClientResponse> answer = co_await next(request);
            if (!answer) co_return answer;
            const int status = answer->status;
            const bool moved =
                status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
            const std::string_view location = answer->headers.get("location");
            if (!moved || location.empty()) co_return answer;
            if (followed == options.most)
                co_return Error(ErrorKind::io, "too_many_redirects",
                                "the server goes on redirecting");
            const std::string from = answer->url.empty() ? request.url : answer->url;
            std::string target = co_await require(resolve_client_url(from, location));
            ClientUrl before = co_await require(parse_client_url(from));
            ClientUrl after = co_await require(parse_client_url(target));
            if (before.scheme == "https" && after.scheme == "http")
                co_return Error(ErrorKind::forbidden, "insecure_redirect",
                                "a redirect leads from https to http");
            if (before.origin() != after.origin()) {
                for (const char* name : {"authorization", "cookie", "proxy-authorization"})
                    request.headers.erase(name);
            }
            const bool as_get = (status == 303 && request.method != Method::head) ||
                                (status < 303 && request.method == Method::post);
            if (as_get) {
                request.method = Method::get;
                request.body.clear();
                request.upload = {};
                request.headers.erase("content-type");
                request.headers.erase("content-encoding");
            }
            request.address.clear();
            request.url = std::move(target);
        }
    }
};

}  // namespace

StepPtr base_url(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    Result<ClientUrl> parsed = parse_client_url(url);
    if (!parsed) throw std::invalid_argument("a base URL: " + parsed.error().describe());
    auto step = std::make_shared<BaseUrl>();
    step->origin = parsed->origin();
    step->base = std::move(url);
    return step;
}

StepPtr default_header(std::string name, std::string value) {
    return header_step(std::move(name), Secret(std::move(value)));
}

StepPtr bearer(Secret token) {
    return header_step("authorization", Secret("Bearer " + std::string(token.reveal())));
}

StepPtr basic_auth(std::string user, Secret password) {
    user += ':';
    user += password.reveal();
    return header_step("authorization", Secret("Basic " + base64_encode(user)));
}

StepPtr attempt_limits(AttemptLimits limits) {
    auto step = std::make_shared<Attempts>();
    step->limits = limits;
    return step;
}

StepPtr expect_success() {
    return std::make_shared<ExpectSuccess>();
}

StepPtr follow_redirects(RedirectOptions options) {
    auto step = std::make_shared<Redirects>();
    step->options = options;
    return step;
}

}  // namespace bennu::net
