#include "bennu/net/client/request_log.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/net/url.hpp"
#include "bennu/runtime/context.hpp"

namespace bennu::net {

namespace {

std::string small(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

bool sounds_secret(std::string_view lower) {
    constexpr std::string_view words[] = {"token", "secret",    "password",   "passwd", "auth",
                                          "key",   "signature", "credential", "cookie", "session"};
    constexpr std::string_view names[] = {"code", "sig", "pass", "pwd", "jwt", "assertion"};
    return std::ranges::any_of(
               words, [lower](auto word) { return lower.find(word) != std::string_view::npos; }) ||
           std::ranges::find(names, lower) != std::end(names);
}

struct RequestLog : Step {
    RequestLogOptions options;

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        const Method method = request.method;
        const std::string url = masked_url(request.url, options.secret_parameters);
        const std::string headers = shown_headers(request.headers);
        const Instant begun = now();
        Result<ClientResponse> answer = co_await next(std::move(request));
        const Duration took = now() - begun;
        if (answer) {
            log_at(answer->status >= 500 ? options.failures : options.level, "http request",
                   {{"method", to_string(method)},
                    {"url", url},
                    {"headers", headers},
                    {"status", answer->status},
                    {"duration", took}});
            answer->stream.at_end(
                [method, url, begun, level = options.failures](const BodyEnd& end) {
                    if (!end.error) return;
                    log_at(level, "http answer broke off",
                           {{"method", to_string(method)},
                            {"url", url},
                            {"bytes", end.bytes},
                            {"error", end.error->code()},
                            {"duration", now() - begun}});
                });
        } else {
            // Its code only: a message may quote what the server or the user wrote.
            log_at(options.failures, "http request failed",
                   {{"method", to_string(method)},
                    {"url", url},
                    {"headers", headers},
                    {"error", answer.error().code()},
                    {"duration", took}});
        }
        co_return answer;
    }

    std::string shown_headers(const Headers& headers) const {
        std::string out;
        for (const std::string& name : options.headers) {
            std::optional<std::string_view> value = headers.find(name);
            if (!value) continue;
            if (!out.empty()) out += ", ";
            out += name + ": " + std::string(secret_header(name) ? Secret::mask : *value);
        }
        return out;
    }
};

}  // namespace

bool secret_header(std::string_view name) {
    return sounds_secret(small(name));
}

std::string masked_url(std::string_view url, const std::vector<std::string>& secret_parameters) {
    std::string out;
    url = url.substr(0, url.find('#'));
    const std::size_t question = url.find('?');
    std::string_view front = url.substr(0, question);
    if (const std::size_t scheme = front.find("://"); scheme != std::string_view::npos) {
        const std::size_t begin = scheme + 3;
        const std::string_view authority = front.substr(begin, front.find('/', begin) - begin);
        if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
            out += front.substr(0, begin);
            out += Secret::mask;
            front.remove_prefix(begin + at);
        }
    }
    out += front;
    if (question == std::string_view::npos) return out;
    char separator = '?';
    std::string_view query = url.substr(question + 1);
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        const std::string_view key = pair.substr(0, pair.find('='));
        Result<std::string> decoded = percent_decode(key, PlusSign::space);
        const bool hidden =
            !decoded || sounds_secret(small(*decoded)) ||
            std::ranges::find(secret_parameters, *decoded) != secret_parameters.end();
        out += std::exchange(separator, '&');
        out += key;
        if (pair.size() > key.size()) {
            out += '=';
            out += hidden ? Secret::mask : pair.substr(key.size() + 1);
        }
    }
    return out;
}

StepPtr request_log(RequestLogOptions options) {
    auto step = std::make_shared<RequestLog>();
    step->options = std::move(options);
    return step;
}

}  // namespace bennu::net
