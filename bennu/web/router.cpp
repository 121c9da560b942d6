#include "bennu/web/router.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/web/router_state.hpp"

namespace bennu {

namespace {

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

}  // namespace

std::string detail::join_segments(std::span<const std::string_view> segments) {
    std::string out;
    for (std::string_view segment : segments) {
        if (!out.empty()) out += '/';
        out += segment;
    }
    return out;
}

Router::Router() : RouteScope(*this, {}), state_(std::make_unique<State>()) {}
Router::~Router() = default;

void Router::plug(Plug plug) {
    Pipeline& plugs = state_->plugs;
    auto at = plugs.end();
    if (plug.target().names_client) {
        at = std::ranges::find_if_not(
            plugs, [](const Plug& before) { return before.target().names_client; });
    }
    plugs.insert(at, std::move(plug));
}
const Pipeline& Router::plugs() const {
    return state_->plugs;
}
void Router::errors(ErrorViews views) {
    state_->errors = std::move(views);
}
const ErrorViews& Router::error_views() const {
    return state_->errors;
}
std::string Router::methods() const {
    std::uint32_t allowed = 0;
    for (const Route& route : state_->routes) allowed |= 1u << static_cast<unsigned>(route.method);
    if (!state_->files.empty()) allowed |= 1u << static_cast<unsigned>(net::Method::get);
    return allow_header(allowed);
}

const std::vector<Route>& Router::routes() const {
    return state_->routes;
}

std::vector<const Pipeline*> Router::pipelines() const {
    std::vector<const Pipeline*> all{&state_->plugs};
    for (const Route& route : state_->routes) all.push_back(&route.plugs);
    for (const State::Files& mount : state_->files) all.push_back(&mount.plugs);
    return all;
}

void Router::require_links_of(const void* site) {
    state_->linked_sites.push_back(site);
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
        RouteConditions conditions{.host = route.options.host, .checks = {}};
        for (const ParamCheck& check : route.options.where) {
            auto place = std::ranges::find(route.params, check.name);
            bool glob = parts->back().kind == RouteTree::Part::Kind::glob;
            if (place == route.params.end() || (glob && place + 1 == route.params.end())) {
                mistakes.push_back(route.pattern + ": has no :" + check.name + " to check");
                continue;
            }
            conditions.checks.push_back(
                {static_cast<std::uint8_t>(place - route.params.begin()), check.fits});
        }
        int other =
            state.tree.add(route.method, *parts, static_cast<int>(i), std::move(conditions));
        if (other >= 0) {
            mistakes.push_back(std::string(net::to_string(route.method)) + " " + route.pattern +
                               ": answers the same requests as " +
                               state.routes[static_cast<std::size_t>(other)].pattern);
        }
    }
    for (const void* site : state.linked_sites) {
        for (std::string_view link : detail::linked_paths(site)) {
            if (std::ranges::find(state.routes, link, &Route::pattern) != state.routes.end())
                continue;
            mistakes.push_back(std::string(link) + ": is linked to, but is no route");
        }
    }
    state.compiled = mistakes.empty();
    if (state.compiled) return {};
    std::string all;
    for (const std::string& mistake : mistakes) all += (all.empty() ? "" : "; ") + mistake;
    return Error(ErrorKind::invalid, "bad_routes", std::move(all));
}

void Router::match(net::Method method, std::span<const std::string_view> segments,
                   RouteMatch& match, std::string_view host) const {
    const State& state = *state_;
    if (!state.compiled) throw std::logic_error("a Router must be compiled before it matches");
    using Outcome = RouteMatch::Outcome;
    match.clear();
    RouteTree::Found found = state.tree.find(method, segments, host);
    if (found.route >= 0) {
        match.outcome = Outcome::found;
        match.route = &state.routes[static_cast<std::size_t>(found.route)];
        std::size_t plain = found.count - (found.glob ? 1u : 0u);
        for (std::size_t i = 0; i < plain; ++i) match.values[i] = segments[found.values[i]];
        if (found.glob) {
            match.joined = detail::join_segments(segments.subspan(found.values[plain]));
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

}  // namespace bennu
