#include "bennu/net/client/http_client.hpp"

#include "bennu/base/bytes.hpp"
#include "bennu/base/events.hpp"
#include "bennu/net/client/client_url.hpp"
#include "bennu/net/url.hpp"
#include "bennu/runtime/context.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net {

namespace {

constinit EventName call_stop{"net.client.stop"};

/// Replaces `:name` segments; one that stays without a value is an error, not a request.
Result<std::string> fill_path(std::string url, const RequestOptions& options) {
    for (const auto& [name, value] : options.path) {
        const std::string key = "/:" + name;
        std::size_t at = url.find(key);
        while (at != std::string::npos && at + key.size() < url.size() &&
               std::string_view("/?#").find(url[at + key.size()]) == std::string_view::npos)
            at = url.find(key, at + 1);
        if (at == std::string::npos || value.empty() || value == "." || value == "..")
            return Error(ErrorKind::invalid, "bad_path_parameter",
                         "the path has no place, or no value, for :" + name);
        url.replace(at + 1, key.size() - 1, percent_encode(value));
    }
    return url;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"') {
            out += "%22";
        } else if (c == '\r') {
            out += "%0D";
        } else if (c == '\n') {
            out += "%0A";
        } else {
            out += c;
        }
    }
    return out + '"';
}

void encode_multipart(ClientRequest& request, const std::vector<FormPart>& parts) {
    std::string boundary = "bennu-";
    for (int i = 0; i < 4; ++i) boundary += std::to_string(random().next());
    boundary.resize(std::min<std::size_t>(boundary.size(), 70));
    for (const FormPart& part : parts) {
        request.body +=
            "--" + boundary + "\r\ncontent-disposition: form-data; name=" + quoted(part.name);
        if (part.filename) request.body += "; filename=" + quoted(*part.filename);
        if (!part.content_type.empty() && Headers::valid_value(part.content_type))
            request.body += "\r\ncontent-type: " + part.content_type;
        request.body += "\r\n\r\n" + part.value + "\r\n";
    }
    request.body += "--" + boundary + "--\r\n";
    request.headers.set("content-type", "multipart/form-data; boundary=" + boundary);
}

Result<ClientRequest> make_request(Method method, std::string url, RequestOptions options) {
    Result<std::string> path = fill_path(std::move(url), options);
    if (!path) return std::move(path).error();
    ClientRequest request{.method = method, .url = std::move(*path)};
    if (!options.query.is_null())
        request.url = with_query(std::move(request.url), encode_query(options.query));
    if (options.json) {
        request.body = to_json(*options.json);
        request.headers.set("content-type", "application/json");
        request.headers.set("accept", "application/json");
    } else if (options.form) {
        request.body = encode_query(*options.form);
        request.headers.set("content-type", "application/x-www-form-urlencoded");
    } else if (!options.multipart.empty()) {
        encode_multipart(request, options.multipart);
    } else if (options.upload) {
        request.upload = std::move(options.upload);
    } else {
        request.body = std::move(options.body);
    }
    for (const auto& [name, value] : options.headers) {
        if (!Headers::valid_name(name) || !Headers::valid_value(value))
            return Error(ErrorKind::invalid, "bad_header", "no such header can be sent: " + name);
        request.headers.set(name, value);
    }
    if (options.max_body) request.max_body = *options.max_body;
    request.idle_timeout = options.idle_timeout;
    return request;
}

/// The end of a call, which is the end of its body when that is streamed.
void tell_stop(Method method, int status, std::string_view error, Instant begun,
               std::uint64_t bytes) {
    emit(call_stop, {{"duration", now() - begun}, {"bytes", bytes}},
         {{"method", to_string(method)}, {"status", status}, {"error", error}});
}

}  // namespace

struct HttpClient::State {
    std::shared_ptr<Transport> transport;
    std::vector<StepPtr> steps;
};

Task<Result<ClientResponse>> Next::operator()(ClientRequest request) const {
    if (rest_.empty()) {
        Result<ClientResponse> answer = co_await transport_->send(std::move(request));
        co_return answer;
    }
    Result<ClientResponse> answer =
        co_await rest_.front()->run(std::move(request), Next(rest_.subspan(1), *transport_));
    co_return answer;
}

HttpClient::HttpClient(std::shared_ptr<Transport> transport, std::vector<StepPtr> steps)
    : state_(std::make_shared<State>(std::move(transport), std::move(steps))) {
    if (!state_->transport) throw std::invalid_argument("an HttpClient needs a transport");
}

HttpClient HttpClient::with(std::vector<StepPtr> outer) const {
    outer.insert(outer.end(), state_->steps.begin(), state_->steps.end());
    return HttpClient(state_->transport, std::move(outer));
}

Task<Result<ClientResponse>> HttpClient::send(std::shared_ptr<const State> state, Method method,
                                              std::string url, RequestOptions options,
                                              Delivery delivery) {
    const Instant begun = now();
    const Duration limit = std::min(options.timeout, time_left());
    const Duration body_timeout = options.body_timeout;
    const bool bounded = options.max_body.has_value();
    Result<ClientRequest> request = make_request(method, std::move(url), std::move(options));
    if (!request) co_return std::move(request).error();
    if (limit != Duration::max()) request->deadline = begun + limit;
    request->delivery = delivery;
    if (delivery == Delivery::streamed) {
        if (!bounded) request->max_body = UINT64_MAX;
        if (body_timeout != Duration::max()) request->body_deadline = begun + body_timeout;
    }
    Result<ClientResponse> answer =
        co_await within(Next(state->steps, *state->transport)(std::move(*request)), limit);
    if (answer && answer->stream) {
        answer->stream.at_end([method, status = answer->status, begun](const BodyEnd& end) {
            const std::string_view error = end.error      ? end.error->code()
                                           : end.complete ? std::string_view()
                                                          : "cancelled";
            tell_stop(method, status, error, begun, end.bytes);
        });
    } else {
        tell_stop(method, answer ? answer->status : 0,
                  answer ? std::string_view() : answer.error().code(), begun,
                  answer ? answer->body.size() : 0);
    }
    co_return answer;
}

[[clang::coro_wrapper]] Task<Result<ClientResponse>> HttpClient::stream(
    Method method, std::string url, RequestOptions options) const {
    return send(state_, method, std::move(url), std::move(options), Delivery::streamed);
}

[[clang::coro_wrapper]] Task<Result<ClientResponse>> HttpClient::call(
    Method method, std::string url, RequestOptions options) const {
    return send(state_, method, std::move(url), std::move(options));
}
[[clang::coro_wrapper]] Task<Result<ClientResponse>> HttpClient::get(std::string url,
                                                                     RequestOptions options) const {
    return send(state_, Method::get, std::move(url), std::move(options));
}
[[clang::coro_wrapper]] Task<Result<ClientResponse>> HttpClient::head(
    std::string url, RequestOptions options) const {
    return send(state_, Method::head, std::move(url), std::move(options));
}
[[clang::coro_wrapper]] Task<Result<ClientResponse>> HttpClient::post(
    std::string url, RequestOptions options) const {
    return send(state_, Method::post, std::move(url), std::move(options));
}
[[clang::coro_wrapper]] Task<Result<ClientResponse>> HttpClient::put(std::string url,
                                                                     RequestOptions options) const {
    return send(state_, Method::put, std::move(url), std::move(options));
}
[[clang::coro_wrapper]] Task<Result<ClientResponse>> HttpClient::patch(
    std::string url, RequestOptions options) const {
    return send(state_, Method::patch, std::move(url), std::move(options));
}
[[clang::coro_wrapper]] Task<Result<ClientResponse>> HttpClient::delete_(
    std::string url, RequestOptions options) const {
    return send(state_, Method::delete_, std::move(url), std::move(options));
}

}  // namespace bennu::net
