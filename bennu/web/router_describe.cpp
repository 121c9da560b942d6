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

/// A line, in columns.
struct Row {
    std::string method, path, name, plugs;
};

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

}  // namespace

std::string Router::describe() const {
    std::vector<Row> rows;
    for (const Route& route : state_->routes) {
        Row row{.method = route.websocket ? "SOCKET" : std::string(net::to_string(route.method)),
                .path = route.options.host + route.pattern,
                .name = route.options.name == route.pattern ? "" : route.options.name,
                .plugs = plug_names(route.plugs)};
        rows.push_back(std::move(row));
    }
    for (const State::Files& mount : state_->files) {
        rows.push_back({"FILES", mount.path, "", plug_names(mount.plugs)});
    }
    std::size_t path = 0, name = 0;
    for (const Row& row : rows) {
        path = std::max(path, row.path.size());
        name = std::max(name, row.name.size());
    }
    std::string out;
    if (!state_->plugs.empty()) out = "every request: " + plug_names(state_->plugs) + "\n";
    for (Row& row : rows) {
        std::string line = padded(std::move(row.method), 8) + padded(std::move(row.path), path);
        if (name > 0) line += "  " + padded(std::move(row.name), name);
        if (!row.plugs.empty()) line += "  [" + row.plugs + "]";
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

}  // namespace bennu
