#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/runtime/task.hpp"
#include "bennu/web/conn.hpp"

namespace bennu {

struct EndpointOptions;

namespace detail {
using PlugResult = std::optional<Response>;

struct PlugTarget {
    Function<PlugResult(const Conn&) const> before;
    Function<Task<PlugResult>(Conn) const> before_async;
    Function<void(const Conn&, Response&) const> after;
    Function<Task<>(Conn, Response&) const> after_async;
    Function<Result<>(const EndpointOptions&) const> start;
    Function<bool(const Conn&) const> needs_body;  ///< empty: it may
    bool names_client = false;                     ///< and `before` does not suspend
    const char* type = "";                         ///< the C++ type, for the listing of routes
};

template <typename F, typename R>
concept Yields = std::is_same_v<std::invoke_result_t<const F&, Conn>, R>;

inline Response answer_of(const Conn& conn, Result<Response> result) {
    return result ? *std::move(result) : error(conn, result.error());
}

template <typename F>
struct WithoutBody {
    F callable;
    [[clang::coro_wrapper]] std::invoke_result_t<const F&, Conn> before(Conn conn) const {
        return callable(std::move(conn));
    }
    static bool needs_body(const Conn&) { return false; }
};
}  // namespace detail

/// A step of a pipeline. Any of these is one:
///
///     void (Conn)                              // looks, assigns, goes on
///     std::optional<Response> (Conn)           // a response ends the pipeline
///     Task<std::optional<Response>> (Conn)     // the same, and may suspend
///     an object with `before(Conn)` in one of these shapes, `after(Conn, Response&)`, or both
///
/// The first two cost no coroutine frame. `after` runs once the response exists, in reverse order
/// of the pipeline, also for error responses; it may be a `Task<> (Conn, Response&)`. It may count
/// on its own `before`: where that did not run, neither does `after`. One object serves all
/// requests on all shards: immutable after start, or thread-safe. Copies share it.
///
/// A request that cannot get to an action (a malformed path: 400, head fields over the route's
/// limit: 431, no handshake: 426, a route that is busy: 503) passes the router's plugs first, each
/// of which may answer it in its own way, up to the one whose `before` may need a body that has not
/// come. Plugs behind that one that have an `after` only (a log, headers) still see the response.
/// For a host that the endpoint does not answer for, and for what is in quarantine, they alone do.
///
/// An object with `Result<> start(const EndpointOptions&)` is told of the endpoint before the first
/// request, once for each endpoint that has it; its error fails the endpoint's start.
///
/// An object with `bool needs_body(const Conn&) const` says whether its `before` looks at the
/// request's body. What does not runs before a body that has not come along with the head is read,
/// and before the client is told to send it (`100 Continue`): a refusal then costs no transfer. A
/// plug that does not say is taken to look at it, but for requests that no route takes: their
/// bodies are not read at all. `without_body(f)` says so of a function.
///
/// An object with `static constexpr bool names_client = true`, whose `before` does not suspend,
/// finds out who asks, and for which host (`TrustedProxies`). As a plug of the router it runs
/// before all others, wherever it stands, and for every request, whatever becomes of it.
class Plug {
  public:
    template <typename F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, Plug> &&
                 std::is_invocable_v<const std::decay_t<F>&, Conn>)
    Plug(F&& callable) {
        auto target = std::make_shared<detail::PlugTarget>();
        set_before(*target, std::forward<F>(callable));
        target->type = detail::type_name_of<std::decay_t<F>>();
        target_ = std::move(target);
    }
    template <typename T>
        requires(!std::is_invocable_v<const T&, Conn> &&
                 (requires(const T& t, Conn c) { t.before(c); } ||
                  requires(const T& t, Conn c, Response& r) { t.after(c, r); }))
    Plug(T object) {
        auto target = std::make_shared<detail::PlugTarget>();
        auto started = std::make_shared<T>(std::move(object));
        std::shared_ptr<const T> shared = started;
        target->type = detail::type_name_of<T>();
        if constexpr (requires(T& t, const EndpointOptions& o) { t.start(o); }) {
            target->start = [started](const EndpointOptions& options) {
                return started->start(options);
            };
        }
        if constexpr (requires(const T& t, const Conn& c) { t.needs_body(c); }) {
            target->needs_body = [shared](const Conn& conn) { return shared->needs_body(conn); };
        }
        if constexpr (requires(const T& t, Conn c) { t.before(c); }) {
            set_before(*target, [shared] [[clang::coro_wrapper]] (Conn conn) {
                return shared->before(std::move(conn));
            });
        }
        if constexpr (requires { T::names_client; })
            target->names_client = T::names_client && target->before;
        if constexpr (requires(const T& t, Conn c, Response& r) { t.after(c, r); }) {
            if constexpr (requires(const T& t, Conn c, Response& r) { t.after(c, r).handle(); }) {
                target->after_async = [shared] [[clang::coro_wrapper]] (Conn conn,
                                                                        Response & response) {
                    return shared->after(std::move(conn), response);
                };
            } else {
                target->after = [shared](const Conn& conn, Response& response) {
                    shared->after(conn, response);
                };
            }
        }
        target_ = std::move(target);
    }

    const detail::PlugTarget& target() const { return *target_; }
    bool operator==(const Plug&) const = default;

  private:
    template <typename F>
    static void set_before(detail::PlugTarget& target, F&& callable) {
        using Target = std::decay_t<F>;
        if constexpr (detail::Yields<Target, Task<detail::PlugResult>>) {
            target.before_async = std::forward<F>(callable);
        } else if constexpr (detail::Yields<Target, void>) {
            target.before = [f = Target(std::forward<F>(callable))](const Conn& conn) {
                f(conn);
                return detail::PlugResult();
            };
        } else {
            static_assert(detail::Yields<Target, detail::PlugResult>,
                          "a plug returns void, std::optional<Response> or a Task of the latter");
            target.before = std::forward<F>(callable);
        }
    }

    std::shared_ptr<const detail::PlugTarget> target_;
};

/// The function as a plug that does not look at the body: `router->plug(without_body(check_key))`.
template <typename F>
Plug without_body(F callable) {
    return Plug(detail::WithoutBody<F>{std::move(callable)});
}

/// Plugs in the order in which they run.
using Pipeline = std::vector<Plug>;

/// What answers a route: `Task<Response> (Conn)`, or `Response (Conn)` where nothing suspends,
/// which saves the coroutine frame. Either may be a `Result` of a Response: its error is answered
/// as `error(conn, …)` does it, so that an action may hand on what it called (`co_return
/// std::move(result).error()`). Shared by all shards, like a plug. Copies share it.
class Action {
  public:
    Action() = default;
    template <typename F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, Action> &&
                 std::is_invocable_v<const std::decay_t<F>&, Conn>)
    Action(F&& callable) {
        using Callable = std::decay_t<F>;
        auto target = std::make_shared<Target>();
        if constexpr (detail::Yields<Callable, Task<Response>>) {
            target->start = std::forward<F>(callable);
        } else if constexpr (detail::Yields<Callable, Task<Result<Response>>>) {
            target->start = [f = Callable(std::forward<F>(callable))](Conn conn) -> Task<Response> {
                co_return detail::answer_of(conn, co_await f(conn));
            };
        } else if constexpr (detail::Yields<Callable, Result<Response>>) {
            target->run = [f = Callable(std::forward<F>(callable))](const Conn& conn) {
                return detail::answer_of(conn, f(conn));
            };
        } else {
            static_assert(detail::Yields<Callable, Response>,
                          "an action returns Response, Result<Response>, or a Task of one");
            target->run = std::forward<F>(callable);
        }
        target_ = std::move(target);
    }

    explicit operator bool() const { return target_ != nullptr; }
    bool suspends() const { return static_cast<bool>(target_->start); }
    /// For actions that suspend, and for those that do not.
    [[clang::coro_wrapper]] Task<Response> start(Conn conn) const {
        return target_->start(std::move(conn));
    }
    Response run(Conn conn) const { return target_->run(std::move(conn)); }

  private:
    struct Target {
        Function<Task<Response>(Conn) const> start;
        Function<Response(Conn) const> run;
    };
    std::shared_ptr<const Target> target_;
};

}  // namespace bennu
