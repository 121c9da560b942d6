#include "bennu/web/router.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/web/route_tree.hpp"

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

std::string allow_header(std::uint32_t allowed) {
    std::string out;
    auto bit = [](net::Method method) { return 1u << static_cast<unsigned>(method); };
    if (allowed & bit(net::Method::get)) allowed |= bit(net::Method::head);
    allowed |= bit(net::Method::options);
    for (unsigned i = 0; i < RouteTree::methods; ++i) {
        std::string_view name = net::to_string(static_cast<net::Method>(i));
        if (!(allowed >> i & 1) || name.empty()) continue;
        if (!out.empty()) out += ", ";
        out += name;
    }
    return out;
}

std::string join_segments(std::span<const std::string_view> segments) {
    std::string out;
    for (std::string_view segment : segments) {
        if (!out.empty()) out += '/';
        out += segment;
    }
    return out;
}

}  // namespace

struct Router::State {
    struct Files {
        std::vector<std::string> prefix;
        StaticFiles files;
        Pipeline plugs;
    };

    /// The file that one of the mounts has for a path.
    void find_file(std::span<const std::string_view> segments, RouteMatch& match) const {
        for (const Files& mount : files) {
            if (segments.size() < mount.prefix.size() ||
                !std::ranges::equal(mount.prefix, segments.first(mount.prefix.size()))) {
                continue;
            }
            match.file = mount.files.find(join_segments(segments.subspan(mount.prefix.size())));
            match.file_plugs = &mount.plugs;
            if (match.file) return;
        }
    }

    Pipeline plugs;
    std::vector<Route> routes;
    std::vector<Files> files;
    std::vector<std::string> mistakes;
    RouteTree tree;
    bool compiled = false;
};

RouteScope::RouteScope(Router& router, std::string prefix, Pipeline plugs)
    : router_(router), prefix_(std::move(prefix)), plugs_(std::move(plugs)) {}

void RouteScope::add(net::Method method, std::string_view pattern, Action action,
                     RouteOptions options) {
    Router::State& state = *router_.state_;
    Route route;
    route.method = method;
    route.pattern = join_patterns(prefix_, pattern);
    route.action = std::move(action);
    route.plugs = plugs_;
    route.plugs.insert(route.plugs.end(), options.plugs.begin(), options.plugs.end());
    route.options = std::move(options);
    if (route.options.name.empty()) route.options.name = route.pattern;
    route.work = WorkKey(std::string(net::to_string(method)) + " " + route.pattern);
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

void RouteScope::resources(std::string_view pattern, ResourceActions actions) {
    std::string list = join_patterns("", pattern);
    std::string item = list + "/:" + actions.param;
    auto one = [&](net::Method method, std::string path, const Action& action) {
        if (action) add(method, std::move(path), action, actions.options);
    };
    one(net::Method::get, list, actions.index);
    one(net::Method::get, list + "/new", actions.new_);
    one(net::Method::post, list, actions.create);
    one(net::Method::get, item, actions.show);
    one(net::Method::get, item + "/edit", actions.edit);
    one(net::Method::patch, item, actions.update);
    one(net::Method::put, item, actions.update);
    one(net::Method::delete_, item, actions.delete_);
}

void RouteScope::websocket(std::string_view pattern, Action action, RouteOptions options) {
    get(pattern, std::move(action), std::move(options));
    router_.state_->routes.back().websocket = true;
}

void RouteScope::files(std::string_view prefix, StaticFiles files) {
    Router::State& state = *router_.state_;
    std::string path = join_patterns(prefix_, prefix);
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
    state.files.push_back({std::move(texts), std::move(files), plugs_});
}

void RouteScope::scope(std::string_view prefix, Pipeline plugs, Build build) {
    Pipeline all = plugs_;
    all.insert(all.end(), plugs.begin(), plugs.end());
    RouteScope inner(router_, join_patterns(prefix_, prefix), std::move(all));
    build(inner);
}
void RouteScope::scope(std::string_view prefix, Build build) {
    scope(prefix, Pipeline(), std::move(build));
}

Router::Router() : RouteScope(*this, "", {}), state_(std::make_unique<State>()) {}
Router::~Router() = default;

void Router::plug(Plug plug) {
    state_->plugs.push_back(std::move(plug));
}
const Pipeline& Router::plugs() const {
    return state_->plugs;
}
const std::vector<Route>& Router::routes() const {
    return state_->routes;
}

Result<> Router::compile() {
    State& state = *state_;
    state.tree = RouteTree();
    std::vector<std::string> mistakes = state.mistakes;
    for (std::size_t i = 0; i < state.routes.size(); ++i) {
        Route& route = state.routes[i];
        auto parts = RouteTree::parse(route.pattern);
        if (!parts) {
            mistakes.emplace_back(parts.error().message());
            continue;
        }
        route.params.clear();
        for (RouteTree::Part& part : *parts) {
            if (part.kind != RouteTree::Part::Kind::text) route.params.push_back(part.text);
        }
        int other = state.tree.add(route.method, *parts, static_cast<int>(i));
        if (other >= 0) {
            mistakes.push_back(std::string(net::to_string(route.method)) + " " + route.pattern +
                               ": answers the same requests as " +
                               state.routes[static_cast<std::size_t>(other)].pattern);
        }
    }
    state.compiled = mistakes.empty();
    if (state.compiled) return {};
    std::string all;
    for (const std::string& mistake : mistakes) all += (all.empty() ? "" : "; ") + mistake;
    return Error(ErrorKind::invalid, "bad_routes", std::move(all));
}

void Router::match(net::Method method, std::span<const std::string_view> segments,
                   RouteMatch& match) const {
    const State& state = *state_;
    if (!state.compiled) throw std::logic_error("a Router must be compiled before it matches");
    using Outcome = RouteMatch::Outcome;
    RouteTree::Found found = state.tree.find(method, segments);
    if (found.route >= 0) {
        match.outcome = Outcome::found;
        match.route = &state.routes[static_cast<std::size_t>(found.route)];
        std::size_t plain = found.count - (found.glob ? 1u : 0u);
        for (std::size_t i = 0; i < plain; ++i) match.values[i] = segments[found.values[i]];
        if (found.glob) {
            match.joined = join_segments(segments.subspan(found.values[plain]));
            match.values[plain] = match.joined;
        }
        return;
    }
    if (found.allowed == 0) {
        state.find_file(segments, match);
        if (!match.file) return;
        if (method == net::Method::get || method == net::Method::head) {
            match.outcome = Outcome::found;
            return;
        }
        found.allowed = 1u << static_cast<unsigned>(net::Method::get);
    }
    match.allow = allow_header(found.allowed);
    match.outcome = method == net::Method::options ? Outcome::options : Outcome::method_not_allowed;
}

std::string Router::describe() const {
    std::size_t widest = 0;
    for (const Route& route : state_->routes) widest = std::max(widest, route.pattern.size());
    std::string out;
    for (const Route& route : state_->routes) {
        std::string method(net::to_string(route.method));
        if (route.websocket) method = "SOCKET";
        out += method + std::string(method.size() < 8 ? 8 - method.size() : 1, ' ') + route.pattern;
        if (route.options.name != route.pattern) {
            out += std::string(widest - route.pattern.size() + 2, ' ') + route.options.name;
        }
        out += '\n';
    }
    return out;
}

}  // namespace bennu
