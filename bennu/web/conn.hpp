#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bennu/base/json.hpp"
#include "bennu/base/record_json.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/web/assigns.hpp"
#include "bennu/web/cookies.hpp"
#include "bennu/web/request_error.hpp"
#include "bennu/web/response.hpp"
#include "bennu/web/upload.hpp"

namespace bennu {

struct Route;
class Session;

namespace detail {
struct ConnState;
/// What copies of the handle touch; the rest of the state stays in the .cpp files.
struct ConnCount {
    std::uint32_t references = 0;
};
void destroy_conn(ConnCount* count);

/// Converts to a reference to whatever type an assign has: `assets::list(conn.scope(), …)`.
struct AnyScope {
    const Assigns& assigns;
    template <typename T>
    operator const T&() const {
        return assigns.get<T>();
    }
};
}  // namespace detail

enum class Scheme : std::uint8_t { http, https };

/// One request being answered: a handle of one word, passed by value. Copies share the state, which
/// lives as long as any of them; views and references that it hands out live as long as it does.
/// Belongs to its shard: do not send it to another, nor into an offload job.
///
/// Readers that find the request malformed throw RequestError, which the endpoint answers with 400
/// (or the status that the reader names); the `try_` forms give a Result.
class Conn {
  public:
    Conn(const Conn& other) noexcept : state_(other.state_) { ++state_->references; }
    Conn(Conn&& other) noexcept : state_(other.state_) { ++state_->references; }
    Conn& operator=(Conn other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~Conn() {
        if (--state_->references == 0) detail::destroy_conn(state_);
    }

    // --- The request --------------------------------------------------------------------------

    net::Method method() const;
    std::string_view method_text() const;
    /// As it came: percent-encoded, without the query.
    std::string_view path() const;
    /// Decoded, checked, without empty ones.
    std::span<const std::string_view> segments() const;
    std::string_view query_string() const;
    /// With the port where it has one. Behind a trusted proxy: the host that the client asked for.
    std::string_view host() const;
    /// How the client came: to this server, or to the trusted proxy before it.
    Scheme scheme() const;
    const net::RequestHead& head() const;
    /// The first value of that name, or empty.
    std::string_view header(std::string_view name) const;
    std::optional<std::string_view> cookie(std::string_view name) const;
    /// The other end of the connection.
    const SocketAddress& peer() const;
    /// The client's address: the peer's, unless that is a trusted proxy that named another.
    std::string_view remote_ip() const;
    /// The certificate that the client showed when it connected; null where it showed none, or was
    /// not asked (`EndpointTls::client_certificates`). Behind a proxy it is the proxy's.
    const net::PeerCertificate* client_certificate() const;
    Instant received() const;
    /// The client's `x-request-id` when it is well-formed, else one made on first use.
    std::string_view request_id() const;
    /// The route that matched; nullptr while none has.
    const Route* route() const;
    /// Error pages may explain themselves.
    bool development() const;
    /// Whether the answer should be a page (see `accepts_html`).
    bool wants_html() const;

    // --- Parameters ---------------------------------------------------------------------------

    /// A parameter of the route's path, decoded. A name that the route does not have is a fault.
    std::string_view param(std::string_view name) const;
    /// The same as a T (any scalar that a record may hold: Id, integers, dates, enums…). Malformed:
    /// 400 with the parameter's name as the field.
    template <typename T>
    T param(std::string_view name) const {
        return checked(try_param<T>(name), 400);
    }
    template <typename T>
    Result<T> try_param(std::string_view name) const {
        T value{};
        Result<> read = set_text(&value, ops_of<T>, name, param(name));
        if (!read) return std::move(read).error();
        return value;
    }

    /// The query string as an object of strings, nested by brackets, in order. Malformed: 400.
    const Json& query() const;
    Result<const Json*> try_query() const;
    /// One query parameter as a T; nothing when it is absent. Malformed: 400.
    template <typename T>
    std::optional<T> query(std::string_view name) const {
        const Json* text = query().find(name);
        if (!text) return std::nullopt;
        return checked(read_text<T>(name, *text), 400);
    }
    /// The query as a record: absent fields keep the record's defaults; unknown or mistyped ones
    /// are 400.
    template <Record T>
    T query_as() const {
        T record{};
        Result<> read = read_json(record, query(), {.absent = Absent::keep, .from_text = true});
        if (!read) throw RequestError(std::move(read).error(), 400);
        return record;
    }

    // --- The body -----------------------------------------------------------------------------

    /// The raw bytes.
    std::string_view body() const;
    std::string take_body() const;
    /// The body as it arrives, on a route with `stream_body`.
    net::BodyReader& body_reader() const;
    /// The fields that came after the body; empty before it was read to its end. Clients say them
    /// as freely as anything else; what decides about framing, routing or access is not among them.
    const net::Headers& trailers() const;
    /// The body's object: JSON, urlencoded or multipart, read on first use; `{}` when there is no
    /// body. 415 for other types, 400 for malformed ones, 413 over a limit, 422 for JSON that is
    /// no object.
    const Json& body_params() const;
    /// Whether the body says that it is a form, urlencoded or multipart.
    bool has_form() const;
    Result<const Json*> try_body_params() const;
    /// Whatever JSON value the body is. 415 unless it says that it is JSON.
    const Json& body_json() const;
    /// The body's object, or its member `key`, as a record; errors name fields as `key.field`.
    /// A missing member is a `required` error.
    template <Record T>
    Result<T> body_as(std::string_view key = {}, ReadOptions options = {}) const {
        T record{};
        Result<> read = read_body(&record, record_of<T>(), key, options);
        if (!read) return std::move(read).error();
        return record;
    }
    /// The files of a multipart body: on disk on a route with `uploads`, else in memory.
    std::span<const Upload> uploads() const;
    /// Moves one out; nothing when there is no file under that name.
    std::optional<Upload> take_upload(std::string_view name) const;

    // --- What plugs leave behind --------------------------------------------------------------

    template <typename T>
    T& assign(T value) const {
        return assigns().set(std::move(value));
    }
    /// A value that was assigned; its absence is a fault.
    template <typename T>
    T& get() const {
        return assigns().get<T>();
    }
    template <typename T>
    T* find() const {
        return assigns().find<T>();
    }
    /// The client's session. A fault unless a `Sessions` plug comes before.
    Session& session() const;
    /// The app's scope (tenant, user), an assign of the app's own type, as the called function
    /// takes it.
    detail::AnyScope scope() const { return {assigns()}; }
    template <typename T>
    const T& scope() const {
        return get<T>();
    }

    // --- What goes with the response ----------------------------------------------------------

    /// A header that the response gets unless it sets the same name itself.
    void put_header(std::string_view name, std::string_view value) const;
    /// A header in addition to those that the response has (`set-cookie`, `vary`).
    void add_header(std::string_view name, std::string_view value) const;
    void set_cookie(const Cookie& cookie) const {
        add_header("set-cookie", format_set_cookie(cookie));
    }
    void delete_cookie(std::string_view name, std::string_view path = "/") const;
    /// Runs before the response leaves, after the pipeline's own `after` steps; the last one
    /// registered runs first.
    void before_send(Function<void(Response&)> hook) const;

    detail::ConnState& state() const;

  private:
    friend detail::ConnState;
    explicit Conn(detail::ConnCount* state) : state_(state) { ++state_->references; }

    Assigns& assigns() const;
    Result<> read_body(void* record, const RecordInfo& info, std::string_view key,
                       const ReadOptions& options) const;
    template <typename T>
    static Result<T> read_text(std::string_view name, const Json& json) {
        T value{};
        std::vector<FieldError> errors;
        read_field(&value, ops_of<T>, json, {.from_text = true}, name, errors);
        if (!errors.empty()) return Error::invalid(std::move(errors));
        return value;
    }
    template <typename T>
    static T checked(Result<T> result, int status) {
        if (!result) throw RequestError(std::move(result).error(), status);
        return *std::move(result);
    }
    static void checked(Result<> result, int status) {
        if (!result) throw RequestError(std::move(result).error(), status);
    }

    detail::ConnCount* state_;
};

static_assert(sizeof(Conn) == sizeof(void*));

// --- Responses
// ------------------------------------------------------------------------------------

Response json(const Conn& conn, int status, const Json& body);
Response json(const Conn& conn, const Json& body);
/// JSON text that is ready.
Response json_text(const Conn& conn, int status, std::string text);
template <Record T>
Response json(const Conn& conn, int status, const T& record) {
    return json_text(conn, status, to_json(record));
}
/// `{"data": …}` around a record, a list of records or (with `meta`) a page of a list.
template <Record T>
Response json_data(const Conn& conn, int status, const T& record) {
    std::string text = "{\"data\":";
    write_json(text, record);
    text += '}';
    return json_text(conn, status, std::move(text));
}
template <Record T>
Response json_data(const Conn& conn, int status, const std::vector<T>& records,
                   const Json& meta = {}) {
    std::string text = "{\"data\":";
    write_json(text, &records, ops_of<std::vector<T>>);
    if (!meta.is_null()) {
        text += ",\"meta\":";
        write_json(text, meta);
    }
    text += '}';
    return json_text(conn, status, std::move(text));
}

Response text(const Conn& conn, int status, std::string body);
/// The caller has escaped what is not markup.
Response html(const Conn& conn, int status, std::string body);
Response no_content(const Conn& conn);

struct RedirectOptions {
    int status = 302;
};
/// To a path of this site. Anything else (`//host`, `https:…`, control characters) is a fault: pass
/// text of users through `local_path`.
Response redirect(const Conn& conn, std::string_view path, RedirectOptions options = {});
/// To another site, for targets that the program itself names.
Response redirect_external(const Conn& conn, std::string_view url, RedirectOptions options = {});
/// `target` when it is a path of this site, else `fallback`.
std::string_view local_path(std::string_view target, std::string_view fallback = "/");

// --- Errors
// ---------------------------------------------------------------------------------------

struct ErrorOptions {
    /// 0: from the error's kind; an `invalid` error is 422 when it names fields, else 400.
    int status = 0;
};
/// `{"errors": [{"field", "code", "message"}]}`, or a page when the client wants HTML. What is
/// wrong inside (kinds `internal` and `io`) is logged and told to nobody but a developer.
Response error(const Conn& conn, const Error& error, ErrorOptions options = {});
Response not_found(const Conn& conn);
/// A status with a line for people and a code for programs.
Response error_status(const Conn& conn, int status, std::string_view code,
                      std::string_view message);
/// The HTTP status of an error.
int status_of(const Error& error);

}  // namespace bennu
