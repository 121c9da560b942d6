#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/log.hpp"
#include "bennu/runtime/launcher/work.hpp"
#include "bennu/web/error_views.hpp"
#include "bennu/web/plug.hpp"
#include "bennu/web/route_limits.hpp"
#include "bennu/web/route_path.hpp"
#include "bennu/web/socket_origins.hpp"
#include "bennu/web/static_files.hpp"

namespace bennu {

/// What a parameter must read as for a route to match: made by `param<Id>("id")`.
struct ParamCheck {
    std::string name;
    bool (*fits)(std::string_view text);
};

namespace detail {
template <typename T>
bool fits_param(std::string_view text) {
    T value{};
    return set_text(&value, ops_of<T>, {}, text).has_value();
}

/// How many requests of a route are under way. Any thread.
class RouteUse {
  public:
    explicit RouteUse(std::uint32_t limit) : limit_(limit) {}
    bool full() const { return taken_.load(std::memory_order_relaxed) >= limit_; }

    /// One request's share; empty when there was none left.
    class Share {
      public:
        Share() = default;
        explicit Share(RouteUse& use)
            : use_(use.taken_.fetch_add(1, std::memory_order_relaxed) < use.limit_ ? &use
                                                                                   : nullptr) {
            if (!use_) use.taken_.fetch_sub(1, std::memory_order_relaxed);
        }
        Share(Share&& other) noexcept : use_(std::exchange(other.use_, nullptr)) {}
        Share& operator=(Share&& other) noexcept {
            std::swap(use_, other.use_);
            return *this;
        }
        ~Share() {
            if (use_) use_->taken_.fetch_sub(1, std::memory_order_relaxed);
        }
        explicit operator bool() const { return use_ != nullptr; }

      private:
        RouteUse* use_ = nullptr;
    };

  private:
    std::uint32_t limit_;
    std::atomic<std::uint32_t> taken_{0};
};
}  // namespace detail

/// A path whose `:name` is no T (any scalar that a record may hold) does not match: other routes
/// are tried, and when none has it the answer is 404.
template <typename T>
ParamCheck param(std::string name) {
    return {std::move(name), &detail::fits_param<T>};
}

struct RouteOptions {
    /// How long the body may be, in bytes; over it: 413 before the body is read. Default: the
    /// endpoint's.
    std::optional<std::uint64_t> body_limit = {};
    /// What the request's header fields may be: `{.head_limits = {.fields = 20, .bytes = 4096}}`.
    /// Over it: 431, before the route's plugs run and before the body is read.
    HeadLimits head_limits = {};
    /// The action reads the body piece by piece, with `conn.body_reader()`; then `body()` and what
    /// parses it find nothing.
    bool stream_body = false;
    /// The files of a form go to disk while they arrive, and `conn.take_upload("photo")` finds
    /// them: `{.body_limit = 100'000'000, .uploads = UploadOptions{}}`. Other bodies are read as
    /// elsewhere, and are no longer than the endpoint's `max_body`.
    std::optional<UploadOptions> uploads = {};
    /// How long the action may take; then it is cancelled and the answer is 504. Zero: no limit.
    /// Actions that do not suspend cannot be interrupted.
    Duration time_limit = Duration::zero();
    /// How many requests of the route may be under way at once, on all shards together; more are
    /// answered 503, before their bodies are read. One is under way from where its body is there
    /// (of an upload: from its head) until nobody holds its Conn: an answer that is a stream may.
    /// 0: any number.
    std::uint32_t max_concurrent = 0;
    /// Answered even when there is too much to do: health checks, signing in, administration.
    bool reserved = false;
    /// Answered however long it had to wait, but not when memory is short: for clients that would
    /// only come again, as sockets after a restart do.
    bool patient = false;
    /// Of `websocket` routes: which pages may open the socket. Default: those of this site's host;
    /// others are refused with 403 before the action runs.
    OriginPolicy origins = {};
    /// What the parameters must read as: `{param<Id>("id")}`.
    std::vector<ParamCheck> where = {};
    /// Only requests to this host, `api.example.com`, or to its subdomains, `*.example.com`. Ports
    /// do not count. Empty: any, unless the scope says otherwise.
    std::string host = {};
    /// The level of the access log line; `off`: none. Server errors are always warnings.
    LogLevel log = LogLevel::info;
    /// For the listing and for telemetry; default: the pattern.
    std::string name = {};
    /// Plugs of this route alone, after those of its scopes.
    Pipeline plugs = {};
};

/// One entry of the table.
struct Route {
    net::Method method = net::Method::get;
    std::string pattern;  ///< `/assets/:id`
    std::vector<std::string> params;
    Action action;
    Pipeline plugs;  ///< of all its scopes, outermost first, then its own
    RouteOptions options;
    bool websocket = false;
    /// Counts the requests of a route that has `max_concurrent`.
    std::shared_ptr<detail::RouteUse> use = {};
    /// What crash reports call a request to it ("GET /assets/:id"), and what is put in quarantine.
    WorkKey work = {};
};

/// The seven actions of a REST resource, those that are set: `GET /`, `GET /new`, `POST /`,
/// `GET /:id`, `GET /:id/edit`, `PATCH` and `PUT /:id`, `DELETE /:id`. Of one that there is only
/// one of, such as a profile (`RouteScope::resource`): `GET /`, `GET /new`, `POST /`, `GET /edit`,
/// `PATCH` and `PUT /`, `DELETE /`, and no `index`.
struct ResourceActions {
    Action index = {};
    Action new_ = {};
    Action create = {};
    Action show = {};
    Action edit = {};
    Action update = {};
    Action delete_ = {};
    std::string param = "id";
    /// What nested routes call it: `asset_id`; empty: the same.
    std::string nested_param = {};
    /// Checks count for those routes that have the parameter.
    RouteOptions options = {};
};

class Router;

/// Adds routes under one prefix and pipeline. Patterns begin with `/`; `:name` takes one segment,
/// `*name` as the last one takes the rest (at least one segment). The most specific route wins,
/// segment by segment (text, then `:param`, then `*glob`), whatever the order of declaration.
class RouteScope {
  public:
    using Build = Function<void(RouteScope&)>;

    void get(std::string_view pattern, Action action, RouteOptions options = {});
    void post(std::string_view pattern, Action action, RouteOptions options = {});
    void put(std::string_view pattern, Action action, RouteOptions options = {});
    void patch(std::string_view pattern, Action action, RouteOptions options = {});
    void delete_(std::string_view pattern, Action action, RouteOptions options = {});
    void options(std::string_view pattern, Action action, RouteOptions options = {});
    void add(net::Method method, std::string_view pattern, Action action,
             RouteOptions options = {});
    void resources(std::string_view pattern, ResourceActions actions);
    /// The same, with routes under one of them: `/assets/:asset_id/…`.
    void resources(std::string_view pattern, ResourceActions actions, Build nested);
    /// A resource that there is only one of: without an id in its paths.
    void resource(std::string_view pattern, ResourceActions actions);
    void resource(std::string_view pattern, ResourceActions actions, Build nested);
    /// A GET that becomes a WebSocket: the action answers with `websocket(conn, handler)`. Requests
    /// that do not ask for one properly are refused (400, 426) before the route's plugs run, pages
    /// of other sites (403) after the last one: see RouteOptions::origins.
    void websocket(std::string_view pattern, Action action, RouteOptions options = {});
    /// Files for paths that no route matches.
    void files(std::string_view prefix, StaticFiles files);
    /// A nested scope: its prefix and plugs come after this one's.
    void scope(std::string_view prefix, Pipeline plugs, Build build);
    void scope(std::string_view prefix, Build build);
    /// Routes for one host (see RouteOptions::host), and routes whose parameters of these names are
    /// checked. Where several routes take a request, one with a host comes before one without, then
    /// one with more checks.
    void host(std::string pattern, Build build);
    void where(std::vector<ParamCheck> checks, Build build);
    /// Routes whose requests may cost no more than that, unless they say otherwise.
    void limits(RouteLimits limits, Build build);
    /// The routes and files that another router has so far, under a prefix; its plugs come after
    /// this scope's.
    void forward(std::string_view prefix, const Router& router);

  protected:
    friend class Router;
    struct Shape {
        std::string prefix = {};
        Pipeline plugs = {};
        std::string host = {};
        std::vector<ParamCheck> where = {};
        RouteLimits limits = {};
    };
    RouteScope(Router& router, Shape shape);

  private:
    void add_resource(const std::string& list, const std::string& item,
                      const ResourceActions& actions);

    Router& router_;
    Shape shape_;
};

/// What the table says about a request. Neither copied nor moved: values are views into it.
struct RouteMatch {
    RouteMatch() = default;
    RouteMatch(const RouteMatch&) = delete;
    RouteMatch& operator=(const RouteMatch&) = delete;

    enum class Outcome : std::uint8_t { found, not_found, method_not_allowed, options };
    Outcome outcome = Outcome::not_found;
    const Route* route = nullptr;
    /// The values of `route->params`, views into the segments or `joined`.
    std::array<std::string_view, 8> values{};
    /// The text of a glob.
    std::string joined;
    /// Methods for `Allow`, with those that are answered by themselves (HEAD, OPTIONS).
    std::string allow;
    /// A static file that answers when no route does.
    const StaticFiles::File* file = nullptr;
    const Pipeline* file_plugs = nullptr;

    void clear() {
        outcome = Outcome::not_found;
        route = nullptr;
        joined.clear();
        allow.clear();
        file = nullptr;
        file_plugs = nullptr;
    }
};

/// Which routes to list, and how.
struct RouteListing {
    /// Those whose path or name holds this text, in any case; empty: all.
    std::string filter = {};
    /// `GET`, …, `SOCKET`, `FILES`, in any case; empty: all.
    std::string method = {};
    /// Columns of a line; longer ones go on in the next. 0: as long as they are.
    std::size_t width = 0;
};

/// The table of routes. Filled at start, compiled once, then immutable and shared by all shards.
///
/// Paths: empty segments are dropped, so that a trailing slash and `//` change nothing; each
/// segment is decoded by itself; `.`, `..`, encoded slashes, backslashes, control characters and
/// ill-formed UTF-8 are refused with 400. HEAD is answered by GET, OPTIONS by the list of methods.
class Router : public RouteScope {
  public:
    Router();
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    /// Plugs of every route, of static files, and of 404 and 405. Call before adding routes. Those
    /// that find out who asks come before the others.
    void plug(Plug plug);
    const Pipeline& plugs() const;
    /// How errors are shown in place of the stock page and JSON.
    void errors(ErrorViews views);
    const ErrorViews& error_views() const;

    /// Builds the matcher. Every mistake is listed: malformed patterns, two routes for the same
    /// requests, more than eight parameters.
    Result<> compile();

    /// Lets `compile` also check that every RoutePath of the site that the program makes links with
    /// is a route of this table.
    template <typename Site = void>
    void require_links() {
        require_links_of(&detail::site_key<Site>);
    }

    /// Fills `match`, whose values are views into the segments.
    void match(net::Method method, std::span<const std::string_view> segments, RouteMatch& match,
               std::string_view host = {}) const;
    /// The methods that some path takes, as `Allow` lists them.
    std::string methods() const;
    /// All routes in order of declaration.
    const std::vector<Route>& routes() const;
    /// The pipeline of everything, those of routes and those of files.
    std::vector<const Pipeline*> pipelines() const;
    /// The table as text, one aligned line per route with its plugs: for the `routes` command.
    /// Empty when no route is as the listing wants it.
    std::string describe(const RouteListing& listing = {}) const;

  private:
    friend class RouteScope;
    void require_links_of(const void* site);
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace bennu
