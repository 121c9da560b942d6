#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "bennu/net/client/step.hpp"

namespace bennu::net {

/// One part of a multipart form; a file when it has a file name.
struct FormPart {
    std::string name;
    std::string value;
    std::optional<std::string> filename = {};
    std::string content_type = {};
};

/// What is particular about one request. At most one of `json`, `form`, `multipart`,
/// `body` and `upload`.
struct RequestOptions {
    /// Fill `:name` segments of the path, percent-encoded.
    std::vector<std::pair<std::string, std::string>> path = {};
    /// An object; nested values become brackets, as `encode_query` writes them.
    Json query = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::optional<Json> json = {};  ///< of a record: `to_json_value(record)`
    std::optional<Json> form = {};
    std::vector<FormPart> multipart = {};
    std::string body = {};
    /// Of the whole call, attempts and waits included; the caller's `time_left()` cuts it.
    Duration timeout = std::chrono::seconds(60);
    std::optional<std::uint64_t> max_body = {};
    /// A body that is made while it is sent.
    ClientUpload upload = {};
    /// How long nothing may move while a body is on its way, in either direction.
    Duration idle_timeout = std::chrono::seconds(30);
    /// Of the whole call when the body is streamed; `timeout` is then for what is before the body.
    /// The time that a reader's caller has left counts besides.
    Duration body_timeout = Duration::max();
};

/// Asks other servers. A value: copies share the transport and the steps. Any shard; belongs to
/// what owns it, and ends before the runtime does.
///
///     HttpClient api(make_curl_transport(), {base_url("https://api.example.com/v1"),
///                                            bearer(token), retry(), circuit_breaker()});
///     Result<ClientResponse> answer = co_await api.get("/assets", {.query = page});
///
/// A status is not an error (see `expect_success`). Errors are those of Transport and of the steps.
/// Destroying the task cancels the call.
class HttpClient {
  public:
    explicit HttpClient(std::shared_ptr<Transport> transport, std::vector<StepPtr> steps = {});

    /// A client on the same transport whose calls pass these steps first.
    HttpClient with(std::vector<StepPtr> outer) const;

    Task<Result<ClientResponse>> get(std::string url, RequestOptions options = {}) const;
    Task<Result<ClientResponse>> head(std::string url, RequestOptions options = {}) const;
    Task<Result<ClientResponse>> post(std::string url, RequestOptions options = {}) const;
    Task<Result<ClientResponse>> put(std::string url, RequestOptions options = {}) const;
    Task<Result<ClientResponse>> patch(std::string url, RequestOptions options = {}) const;
    Task<Result<ClientResponse>> delete_(std::string url, RequestOptions options = {}) const;
    Task<Result<ClientResponse>> call(Method method, std::string url,
                                      RequestOptions options = {}) const;
    /// Returns once the head of the answer is there; its body is read from `answer.stream`. Nothing
    /// is sent again after that, and no compression is asked for: what comes is what the server
    /// sent, and memory stays bounded. `max_body` is without limit unless it is given.
    Task<Result<ClientResponse>> stream(Method method, std::string url,
                                        RequestOptions options = {}) const;

  private:
    struct State;
    static Task<Result<ClientResponse>> send(std::shared_ptr<const State> state, Method method,
                                             std::string url, RequestOptions options,
                                             Delivery delivery = Delivery::gathered);
    std::shared_ptr<const State> state_;
};

}  // namespace bennu::net
