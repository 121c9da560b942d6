#include <algorithm>
#include <stdexcept>

#include "bennu/web/router_state.hpp"

namespace bennu {

namespace {

std::string join_patterns(std::string_view prefix, std::string_view pattern) {
    std::string joined(prefix);
    while (joined.ends_with('/')) joined.pop_back();
    if (pattern == "/" && !joined.empty()) return joined;
    if (!pattern.starts_with('/')) joined += '/';
    joined += pattern;
    return joined;
}

Pipeline joined(const Pipeline& first, const Pipeline& second) {
    Pipeline all = first;
    all.insert(all.end(), second.begin(), second.end());
    return all;
}

bool has_param(std::string_view pattern, std::string_view name) {
    auto parts = RouteTree::parse(pattern);
    return parts && std::ranges::any_of(*parts, [&](const RouteTree::Part& part) {
               return part.kind == RouteTree::Part::Kind::param && part.text == name;
           });
}

/// What the scope says where the route says nothing.
void apply(const RouteLimits& limits, RouteOptions& options) {
    if (!options.body_limit) options.body_limit = limits.body_limit;
    options.head_limits = options.head_limits.within(limits.head_limits);
    if (options.time_limit == Duration::zero()) options.time_limit = limits.time_limit;
}

}  // namespace

RouteScope::RouteScope(Router& router, Shape shape) : router_(router), shape_(std::move(shape)) {}

void RouteScope::add(net::Method method, std::string_view pattern, Action action,
                     RouteOptions options) {
    Router::State& state = *router_.state_;
    Route route;
    route.method = method;
    route.pattern = join_patterns(shape_.prefix, pattern);
    route.action = std::move(action);
    route.plugs = joined(shape_.plugs, options.plugs);
    route.options = std::move(options);
    if (route.options.host.empty()) route.options.host = shape_.host;
    apply(shape_.limits, route.options);
    for (const ParamCheck& check : shape_.where) {
        if (!has_param(route.pattern, check.name)) continue;
        if (std::ranges::find(route.options.where, check.name, &ParamCheck::name) ==
            route.options.where.end()) {
            route.options.where.push_back(check);
        }
    }
    if (route.options.name.empty()) route.options.name = route.pattern;
    route.work = WorkKey(std::string(net::to_string(method)) + " " + route.pattern);
    if (route.options.max_concurrent > 0) {
        route.use = std::make_shared<detail::RouteUse>(route.options.max_concurrent);
    }
    if (!pattern.starts_with('/')) {
        state.mistakes.push_back(route.pattern + ": a pattern begins with /");
    }
    if (!route.action) state.mistakes.push_back(route.pattern + ": has no action");
    state.routes.push_back(std::move(route));
}

void RouteScope::get(std::string_view pattern, Action action, RouteOptions options) {
    add(net::Method::get, pattern, std::move(action), std::move(options));
}
void RouteScope::post(std::string_view pattern, Action action, RouteOptions options) {
    add(net::Method::post, pattern, std::move(action), std::move(options));
}
void RouteScope::put(std::string_view pattern, Action action, RouteOptions options) {
    add(net::Method::put, pattern, std::move(action), std::move(options));
}
void RouteScope::patch(std::string_view pattern, Action action, RouteOptions options) {
    add(net::Method::patch, pattern, std::move(action), std::move(options));
}
void RouteScope::delete_(std::string_view pattern, Action action, RouteOptions options) {
    add(net::Method::delete_, pattern, std::move(action), std::move(options));
}
void RouteScope::options(std::string_view pattern, Action action, RouteOptions options) {
    add(net::Method::options, pattern, std::move(action), std::move(options));
}

void RouteScope::add_resource(const std::string& list, const std::string& item,
                              const ResourceActions& actions) {
    auto one = [&](net::Method method, std::string path, const Action& action) {
        if (!action) return;
        RouteOptions options = actions.options;
        std::erase_if(options.where,
                      [&](const ParamCheck& check) { return !has_param(path, check.name); });
        add(method, std::move(path), action, std::move(options));
    };
    const std::string below = list == "/" ? "" : list;
    one(net::Method::get, list, actions.index);
    one(net::Method::get, below + "/new", actions.new_);
    one(net::Method::post, list, actions.create);
    one(net::Method::get, item, actions.show);
    one(net::Method::get, (item == "/" ? "" : item) + "/edit", actions.edit);
    one(net::Method::patch, item, actions.update);
    one(net::Method::put, item, actions.update);
    one(net::Method::delete_, item, actions.delete_);
}

void RouteScope::resources(std::string_view pattern, ResourceActions actions) {
    const std::string list = join_patterns("", pattern);
    add_resource(list, list + "/:" + actions.param, actions);
}

void RouteScope::resource(std::string_view pattern, ResourceActions actions) {
    const std::string path = join_patterns("", pattern);
    if (actions.index)
        router_.state_->mistakes.push_back(shape_.prefix + path +
                                           ": a single resource has no index");
    actions.index = {};
    add_resource(path, path, actions);
}

void RouteScope::resource(std::string_view pattern, ResourceActions actions, Build nested) {
    Shape shape = shape_;
    shape.prefix = join_patterns(shape.prefix, pattern);
    resource(pattern, std::move(actions));
    RouteScope inner(router_, std::move(shape));
    nested(inner);
}

void RouteScope::resources(std::string_view pattern, ResourceActions actions, Build nested) {
    const std::string param =
        actions.nested_param.empty() ? actions.param : std::move(actions.nested_param);
    Shape shape = shape_;
    shape.prefix = join_patterns(shape.prefix, join_patterns("", pattern) + "/:" + param);
    for (ParamCheck check : actions.options.where) {
        if (check.name != actions.param) continue;
        check.name = param;
        shape.where.push_back(std::move(check));
    }
    resources(pattern, std::move(actions));
    RouteScope inner(router_, std::move(shape));
    nested(inner);
}

void RouteScope::websocket(std::string_view pattern, Action action, RouteOptions options) {
    const OriginPolicy origins = options.origins;
    get(pattern, std::move(action), std::move(options));
    Router::State& state = *router_.state_;
    Route& route = state.routes.back();
    route.websocket = true;
    if (!origins.check) return;
    if (Result<SocketOrigins> check = SocketOrigins::make(origins)) {
        route.plugs.push_back(*std::move(check));
    } else {
        state.mistakes.push_back(route.pattern + ": " + std::string(check.error().message()));
    }
}

void RouteScope::files(std::string_view prefix, StaticFiles files) {
    Router::State& state = *router_.state_;
    std::string path = join_patterns(shape_.prefix, prefix);
    auto parts = RouteTree::parse(path);
    std::vector<std::string> texts;
    if (!parts) state.mistakes.emplace_back(parts.error().message());
    if (parts) {
        for (const RouteTree::Part& part : *parts) {
            texts.push_back(part.text);
            if (part.kind != RouteTree::Part::Kind::text) {
                state.mistakes.push_back(path + ": files cannot have parameters in their prefix");
            }
        }
    }
    state.files.push_back({std::move(path), std::move(texts), std::move(files), shape_.plugs});
}

void RouteScope::scope(std::string_view prefix, Pipeline plugs, Build build) {
    Shape shape = shape_;
    shape.prefix = join_patterns(shape_.prefix, prefix);
    shape.plugs = joined(shape_.plugs, plugs);
    RouteScope inner(router_, std::move(shape));
    build(inner);
}
void RouteScope::scope(std::string_view prefix, Build build) {
    scope(prefix, Pipeline(), std::move(build));
}

void RouteScope::host(std::string pattern, Build build) {
    Shape shape = shape_;
    shape.host = std::move(pattern);
    RouteScope inner(router_, std::move(shape));
    build(inner);
}

void RouteScope::where(std::vector<ParamCheck> checks, Build build) {
    Shape shape = shape_;
    shape.where.insert(shape.where.begin(), checks.begin(), checks.end());
    RouteScope inner(router_, std::move(shape));
    build(inner);
}

void RouteScope::limits(RouteLimits limits, Build build) {
    Shape shape = shape_;
    if (limits.body_limit) shape.limits.body_limit = limits.body_limit;
    shape.limits.head_limits = limits.head_limits.within(shape.limits.head_limits);
    if (limits.time_limit > Duration::zero()) shape.limits.time_limit = limits.time_limit;
    RouteScope inner(router_, std::move(shape));
    build(inner);
}

void RouteScope::forward(std::string_view prefix, const Router& router) {
    const Router::State& from = *router.state_;
    Router::State& state = *router_.state_;
    if (&from == &state) throw std::logic_error("a Router cannot be forwarded to itself");
    Shape shape = shape_;
    shape.prefix = join_patterns(shape_.prefix, prefix);
    shape.plugs = joined(shape_.plugs, from.plugs);
    RouteScope inner(router_, std::move(shape));
    for (const Route& route : from.routes) {
        RouteOptions options = route.options;
        if (options.name == route.pattern) options.name.clear();
        options.plugs = route.plugs;
        inner.add(route.method, route.pattern, route.action, std::move(options));
        state.routes.back().websocket = route.websocket;
    }
    for (const Router::State::Files& mount : from.files) {
        RouteScope with_plugs(router_, {.prefix = inner.shape_.prefix,
                                        .plugs = joined(inner.shape_.plugs, mount.plugs)});
        with_plugs.files(mount.path, mount.files);
    }
    for (const std::string& mistake : from.mistakes) state.mistakes.push_back(mistake);
}

}  // namespace bennu
