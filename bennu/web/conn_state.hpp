#pragma once

#include <array>
#include <optional>
#include <vector>

#include "bennu/runtime/pool.hpp"
#include "bennu/web/conn.hpp"
#include "bennu/web/parameter_filter.hpp"
#include "bennu/web/path.hpp"
#include "bennu/web/router.hpp"

namespace bennu::detail {

/// What a Conn stands for: one allocation per request, made by the endpoint. Private to this area.
struct ConnState : ConnCount, Pooled {
    explicit ConnState(net::HttpRequest&& incoming) : request(std::move(incoming)) {}

    /// A new handle; the first one owns the state.
    Conn handle() { return Conn(this); }

    net::HttpRequest request;
    PathSegments path;
    RouteMatch match;
    RouteUse::Share share;  ///< of the route's requests at once
    bool development = false;
    // The endpoint's and its router's, which outlive their requests.
    const ParameterFilter* filter = nullptr;
    const ErrorViews* errors = nullptr;
    /// A plug of the router changed what routes go by: look again before the route's own plugs.
    bool reroute = false;
    /// What a trusted proxy said about the client; empty parts are the connection's own.
    struct Client {
        std::string ip, host;
        std::optional<Scheme> scheme;
    };
    std::unique_ptr<Client> client;
    Assigns assigns;
    net::Headers put;    ///< unless the response sets them
    net::Headers added;  ///< in any case
    std::vector<Function<void(Response&)>> hooks;

    std::optional<Json> query;
    /// The body once it was read; `params` is an object.
    struct Body {
        Json params;
        std::vector<Upload> files;
        bool from_text = false;  ///< a form: every value is text
    };
    std::optional<Body> body;
    /// The request's body is still on its way: whoever needs it first has it received.
    bool body_waits = false;

    std::array<char, 36> made_id;
    std::string_view id;
};

/// Whether a client's `x-request-id` may go into logs and headers.
bool valid_request_id(std::string_view id);

/// What every error is answered: JSON or a page, or what the app's views make of it.
Response render_error(const Conn& conn, int status, const Error& error);
/// For a request that nobody could read.
Response render_error(const ErrorViews& views, int status, const Error& error);

/// Reads a body by its content type. Errors carry the status in their kind; `syntax` ones are 400.
Result<ConnState::Body> read_body(std::string_view content_type, std::string_view body);
bool is_form_type(std::string_view content_type);
/// A compressed body is not read: 415.
Result<> check_content_encoding(std::string_view encoding);
Result<Json> read_json_body(std::string_view content_type, std::string_view body);

/// Puts the conn's own headers into the response and runs its hooks.
void finish_response(ConnState& state, Response& response);

}  // namespace bennu::detail
