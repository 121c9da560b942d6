#include "bennu/web/conn.hpp"

#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/base/id_text.hpp"
#include "bennu/base/random.hpp"
#include "bennu/net/url.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/negotiation.hpp"

namespace bennu {

namespace detail {

void destroy_conn(ConnCount* count) {
    delete static_cast<ConnState*>(count);
}

bool valid_request_id(std::string_view id) {
    if (id.empty() || id.size() > 128) return false;
    for (char c : id) {
        if (c <= ' ' || c >= 0x7f || std::string_view("\"'\\<>&;,").contains(c)) return false;
    }
    return true;
}

void finish_response(ConnState& state, Response& response) {
    for (auto [name, value] : state.put) {
        if (!response.headers.contains(name)) response.headers.add(name, value);
    }
    for (auto [name, value] : state.added) response.headers.add(name, value);
    while (!state.hooks.empty()) {
        auto hook = std::move(state.hooks.back());
        state.hooks.pop_back();
        hook(response);
    }
}

}  // namespace detail

detail::ConnState& Conn::state() const {
    return static_cast<detail::ConnState&>(*state_);
}
Assigns& Conn::assigns() const {
    return state().assigns;
}

net::Method Conn::method() const {
    return state().request.head.method;
}
std::string_view Conn::method_text() const {
    return state().request.head.method_text();
}
std::string_view Conn::path() const {
    return state().request.head.path();
}
std::span<const std::string_view> Conn::segments() const {
    return state().path.all();
}
std::string_view Conn::query_string() const {
    return state().request.head.query();
}
std::string_view Conn::host() const {
    const auto& own = state();
    return own.client && !own.client->host.empty() ? own.client->host : own.request.head.host();
}
Scheme Conn::scheme() const {
    const auto& own = state();
    if (own.client && own.client->scheme) return *own.client->scheme;
    return own.request.tls ? Scheme::https : Scheme::http;
}
const net::PeerCertificate* Conn::client_certificate() const {
    return state().request.client_certificate.get();
}
std::string_view Conn::remote_ip() const {
    const auto& own = state();
    return own.client && !own.client->ip.empty() ? own.client->ip : own.request.peer.host;
}
const net::RequestHead& Conn::head() const {
    return state().request.head;
}
std::string_view Conn::header(std::string_view name) const {
    return head().headers.get(name);
}
const SocketAddress& Conn::peer() const {
    return state().request.peer;
}
Instant Conn::received() const {
    return state().request.received;
}
const Route* Conn::route() const {
    return state().match.route;
}
bool Conn::development() const {
    return state().development;
}
bool Conn::wants_html() const {
    return accepts_html(header("accept"));
}

std::optional<std::string_view> Conn::cookie(std::string_view name) const {
    // A browser sends one field, but what stands between it and us may have split it.
    for (const net::Headers::Field field : head().headers) {
        if (!iequals(field.name, "cookie")) continue;
        if (auto value = find_cookie(field.value, name)) return value;
    }
    return std::nullopt;
}

std::string_view Conn::request_id() const {
    auto& own = state();
    if (!own.id.empty()) return own.id;
    std::string_view given = header("x-request-id");
    if (detail::valid_request_id(given)) return own.id = given;
    if (on_shard()) {
        write_id(own.made_id, uuid7(wall_now(), random()));
    } else {
        Random unseeded(secure_random_u64());
        write_id(own.made_id, uuid7(system_now(), unseeded));
    }
    return own.id = {own.made_id.data(), own.made_id.size()};
}

std::string_view Conn::param(std::string_view name) const {
    const auto& match = state().match;
    if (match.route) {
        for (std::size_t i = 0; i < match.route->params.size(); ++i) {
            if (match.route->params[i] == name) return match.values[i];
        }
    }
    throw std::logic_error("the route has no parameter " + std::string(name));
}

Result<const Json*> Conn::try_query() const {
    auto& own = state();
    if (!own.query) {
        auto parsed = net::parse_query(query_string());
        if (!parsed) return std::move(parsed).error();
        own.query = parsed->is_null() ? Json::object() : *std::move(parsed);
    }
    return &*own.query;
}

const Json& Conn::query() const {
    return *checked(try_query(), 400);
}

std::string_view Conn::body() const {
    return state().request.body;
}
bool Conn::has_form() const {
    return detail::is_form_type(header("content-type"));
}
std::string Conn::take_body() const {
    return std::move(state().request.body);
}

net::BodyReader& Conn::body_reader() const {
    return state().request.stream;
}

const net::Headers& Conn::trailers() const {
    const net::HttpRequest& request = state().request;
    return request.trailers ? *request.trailers : request.stream.trailers();
}

Result<const Json*> Conn::try_body_params() const {
    auto& own = state();
    if (!own.body) {
        if (Result<> plain = detail::check_content_encoding(header("content-encoding")); !plain) {
            return std::move(plain).error();
        }
        auto read = detail::read_body(header("content-type"), own.request.body);
        if (!read) return std::move(read).error();
        own.body = *std::move(read);
    }
    return &own.body->params;
}

const Json& Conn::body_params() const {
    return *checked(try_body_params(), 0);
}

const Json& Conn::body_json() const {
    auto& own = state();
    if (!own.body) {
        checked(detail::check_content_encoding(header("content-encoding")), 0);
        own.body.emplace(checked(detail::read_json_body(header("content-type"), body()), 0));
    }
    return own.body->params;
}

Result<> Conn::read_body(void* record, const RecordInfo& info, std::string_view key,
                         const ReadOptions& options) const {
    const Json* object = &body_params();
    ReadOptions own = options;
    own.from_text = options.from_text || state().body->from_text;
    std::string path;
    if (!key.empty()) {
        object = object->find(key);
        if (!object) return Error::field(std::string(key), "required", "is required");
        if (!object->is_object()) {
            return Error::field(std::string(key), "type", "must be an object");
        }
        path.append(key).append(".");
        if (own.path.empty()) own.path = path;
    }
    return bennu::read_json(record, info, *object, own);
}

std::span<const Upload> Conn::uploads() const {
    body_params();
    return state().body->files;
}

std::optional<Upload> Conn::take_upload(std::string_view name) const {
    body_params();
    auto& files = state().body->files;
    for (auto file = files.begin(); file != files.end(); ++file) {
        if (file->name != name) continue;
        Upload taken = std::move(*file);
        files.erase(file);
        return taken;
    }
    return std::nullopt;
}

void Conn::put_header(std::string_view name, std::string_view value) const {
    state().put.set(name, value);
}
void Conn::add_header(std::string_view name, std::string_view value) const {
    state().added.add(name, value);
}
void Conn::delete_cookie(std::string_view name, std::string_view path) const {
    set_cookie({.name = std::string(name),
                .value = {},
                .path = std::string(path),
                .max_age = Duration::zero()});
}
void Conn::before_send(Function<void(Response&)> hook) const {
    state().hooks.push_back(std::move(hook));
}

}  // namespace bennu
