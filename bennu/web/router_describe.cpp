#include "bennu/base/ascii.hpp"
#include "bennu/web/route_listing.hpp"
#include "bennu/web/router_state.hpp"

namespace bennu {

namespace {

/// `RequestIds` of `bennu::RequestIds`; lambdas and functions have no name to show.
std::string plug_name(std::string_view type) {
    if (type.contains('(') || type.contains("lambda") || type.empty()) return "function";
    std::size_t colons = type.substr(0, type.find('<')).rfind("::");
    return std::string(colons == std::string_view::npos ? type : type.substr(colons + 2));
}

std::string plug_names(const Pipeline& plugs) {
    std::string out;
    for (const Plug& plug : plugs) {
        out += (out.empty() ? "" : ", ") + plug_name(plug.target().type);
    }
    return out;
}

/// What the first column of the listing may say beside the methods of HTTP.
constexpr std::string_view socket_routes = "SOCKET", file_mounts = "FILES";

std::vector<std::string_view> listed_methods() {
    std::vector<std::string_view> names;
    for (int method = 0; method < static_cast<int>(net::Method::other); ++method)
        names.push_back(net::to_string(static_cast<net::Method>(method)));
    names.push_back(socket_routes);
    names.push_back(file_mounts);
    return names;
}

/// A line, in columns.
struct Row {
    std::string method, path, name, plugs;
};

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

/// A line cut into lines of at most `width` columns, where there is a blank if there is one. Those
/// after the first are indented.
std::string wrapped(std::string line, std::size_t width) {
    constexpr std::size_t indent = 8;
    std::string out;
    while (width > 2 * indent && line.size() > width) {
        std::size_t cut = line.rfind(' ', width);
        // Nothing but the indentation before it.
        if (cut == std::string::npos || line.find_first_not_of(' ') > cut) cut = width;
        std::string first = line.substr(0, cut);
        first.erase(first.find_last_not_of(' ') + 1);
        out += first + "\n";
        line.erase(0, std::min(line.find_first_not_of(' ', cut), line.size()));
        line.insert(0, indent, ' ');
    }
    return out + line + "\n";
}

bool listed(const Row& row, const RouteListing& listing) {
    if (!listing.method.empty() && !iequals(row.method, listing.method)) return false;
    const std::string wanted = to_lower(listing.filter);
    return to_lower(row.path).contains(wanted) || to_lower(row.name).contains(wanted);
}

}  // namespace

Result<> check_listed_method(std::string_view method) {
    std::string known;
    for (std::string_view name : listed_methods()) {
        if (iequals(name, method)) return {};
        known.append(known.empty() ? "" : ", ").append(name);
    }
    return Error(ErrorKind::invalid, "unknown_method",
                 "there is no method " + std::string(method) + ", only " + known);
}

std::string Router::describe(const RouteListing& listing) const {
    std::vector<Row> rows;
    for (const Route& route : state_->routes) {
        Row row{
            .method = std::string(route.websocket ? socket_routes : net::to_string(route.method)),
            .path = route.options.host + route.pattern,
            .name = route.options.name == route.pattern ? "" : route.options.name,
            .plugs = plug_names(route.plugs)};
        rows.push_back(std::move(row));
    }
    for (const State::Files& mount : state_->files) {
        rows.push_back({std::string(file_mounts), mount.path, "", plug_names(mount.plugs)});
    }
    std::erase_if(rows, [&](const Row& row) { return !listed(row, listing); });
    if (rows.empty() && !(listing.filter.empty() && listing.method.empty())) return {};
    // In a narrow table a column that only some need would push the rest into lines of its own.
    const std::size_t widest = listing.width > 0 ? listing.width / 2 : std::string::npos;
    std::size_t path = 0, name = 0;
    for (const Row& row : rows) {
        if (row.path.size() <= widest) path = std::max(path, row.path.size());
        name = std::max(name, row.name.size());
    }
    std::string out;
    if (!state_->plugs.empty())
        out = wrapped("every request: " + plug_names(state_->plugs), listing.width);
    for (Row& row : rows) {
        std::string line = padded(std::move(row.method), 8) + padded(std::move(row.path), path);
        if (name > 0) line += "  " + padded(std::move(row.name), name);
        if (!row.plugs.empty()) line += "  [" + row.plugs + "]";
        line.erase(line.find_last_not_of(' ') + 1);
        out += wrapped(std::move(line), listing.width);
    }
    return out;
}

}  // namespace bennu
