#include "bennu/base/config.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "bennu/base/ascii.hpp"
#include "bennu/base/config_toml.hpp"

namespace bennu {

namespace {

constexpr std::string_view variable_place = "environment variable ";

}  // namespace

struct Config::State {
    std::string file;
    Json tree = Json::object();
    std::map<std::string, std::string, std::less<>> places;  // path → "app.toml:12"

    /// Where a setting comes from: its own line, else that of the closest table around it.
    std::string place_of(std::string_view path) const {
        for (;;) {
            if (const auto found = places.find(path); found != places.end()) return found->second;
            // A section that only variables speak of has no place of its own.
            const std::string inside = std::string(path) + ".";
            if (const auto first = places.lower_bound(inside);
                first != places.end() && first->first.starts_with(inside)) {
                return first->second;
            }
            const std::size_t dot = path.rfind('.');
            if (dot == std::string_view::npos) return file;
            path = path.substr(0, dot);
        }
    }
    std::string describe(std::string_view path, std::string_view message) const {
        std::string text = place_of(path);
        if (!text.empty()) text += ": ";
        return text.append(path).append(" ").append(message);
    }
};

namespace {

const Json* find_path(const Json& tree, std::string_view path) {
    const Json* at = &tree;
    while (at && !path.empty()) {
        const std::size_t dot = path.find('.');
        at = at->find(path.substr(0, dot));
        path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    }
    return at;
}

void set_path(Json& tree, std::string_view path, Json value) {
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) {
        tree.set(path, std::move(value));
        return;
    }
    const std::string_view table = path.substr(0, dot);
    Json* inner = tree.find(table);
    if (!inner || !inner->is_object()) inner = &tree.set(table, Json::object());
    set_path(*inner, path.substr(dot + 1), std::move(value));
}

/// `BENNU_SERVER__PORT` → `server.port`; "" when it is not ours.
std::string path_of_variable(std::string_view name, std::string_view prefix) {
    if (prefix.empty() || !name.starts_with(prefix)) return {};
    name.remove_prefix(prefix.size());
    if (!name.starts_with('_') || name.size() == 1) return {};
    std::string path = to_lower(name.substr(1));
    for (std::size_t at = 0; (at = path.find("__", at)) != std::string::npos;) {
        path.replace(at, 2, ".");
    }
    return path;
}

/// Environment values are text; a list is written as JSON.
Json value_of_variable(std::string_view text) {
    if (text.starts_with('[')) {
        if (Result<Json> list = parse_json(text)) return *std::move(list);
    }
    return text;
}

std::vector<std::string> process_environment() {
    std::vector<std::string> all;
    for (char** variable = environ; *variable; ++variable) all.emplace_back(*variable);
    return all;
}

/// What is said of a key that its section does not have; empty when it has it.
std::string unknown_key(std::span<const ConfigSection> known, const ConfigSection& section,
                        std::string_view key) {
    std::vector<std::string_view> names;
    for (const Field& field : section.record->fields) names.push_back(field.name);
    if (std::ranges::find(names, key) != names.end()) return {};
    std::string message = "is not a known field";
    if (const std::string_view close = closest_name(key, names); !close.empty()) {
        return message.append("; did you mean ").append(close).append("?");
    }
    for (const ConfigSection& other : known) {
        if (!other.record->find(key)) continue;
        return message.append("; did you mean ")
            .append(other.name)
            .append(".")
            .append(key)
            .append("?");
    }
    return message;
}

/// What is said of a setting that is in no section.
std::string outside_of_sections(std::span<const ConfigSection> known, std::string_view key) {
    for (const ConfigSection& section : known) {
        if (!section.record->find(key)) continue;
        std::string message = "is in no section; did you mean ";
        return message.append(section.name).append(".").append(key).append("?");
    }
    return "is in no section";
}

std::string unknown_section(std::span<const ConfigSection> known, std::string_view name) {
    std::vector<std::string_view> names;
    for (const ConfigSection& section : known) names.push_back(section.name);
    std::string message = "is not a known section";
    if (const std::string_view close = closest_name(name, names); !close.empty()) {
        return message.append("; did you mean ").append(close).append("?");
    }
    message += "; there are:";
    for (const std::string_view each : names) message.append(" ").append(each);
    return message;
}

}  // namespace

Config::Config() : state_(std::make_shared<State>()) {}

Result<Config> Config::load(const std::string& path, const ConfigOptions& options) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Error(ErrorKind::not_found, "config_missing",
                     "cannot read the configuration " + path);
    }
    std::ostringstream text;
    text << file.rdbuf();
    return parse(text.view(), path, options);
}

Result<Config> Config::parse(std::string_view toml, std::string_view file_name,
                             const ConfigOptions& options) {
    auto state = std::make_shared<State>();
    state->file = file_name;
    Result<> read = read_toml(toml, file_name, state->tree, [&](std::string path, unsigned line) {
        state->places[std::move(path)] = state->file + ":" + std::to_string(line);
    });
    if (!read) return std::move(read).error();

    const std::vector<std::string> environment =
        options.environment ? *options.environment : process_environment();
    const auto override_with = [&](std::string_view name, std::string_view value,
                                   const std::string& path) {
        set_path(state->tree, path, value_of_variable(value));
        state->places[path] = std::string(variable_place).append(name);
    };
    for (const bool aliases : {false, true}) {
        for (const std::string_view variable : environment) {
            const std::size_t equals = variable.find('=');
            if (equals == std::string_view::npos) continue;
            const std::string_view name = variable.substr(0, equals);
            const std::string_view value = variable.substr(equals + 1);
            if (!aliases) {
                const std::string path = path_of_variable(name, options.env_prefix);
                if (!path.empty()) override_with(name, value, path);
                continue;
            }
            for (const auto& [alias, path] : options.aliases) {
                if (alias == name && !value.empty()) override_with(name, value, path);
            }
        }
    }
    Config config;
    config.state_ = std::move(state);
    return config;
}

const Json& Config::tree() const {
    return state_->tree;
}

bool Config::contains(std::string_view path) const {
    return find_path(state_->tree, path) != nullptr;
}

Error Config::invalid(std::string_view path, std::string_view message) const {
    return Error(ErrorKind::invalid, "invalid_config", state_->describe(path, message));
}

Result<> Config::check_sections(std::span<const ConfigSection> known) const {
    std::string refused;
    const auto refuse = [&](std::string_view path, std::string_view message) {
        if (!refused.empty()) refused += "\n";
        refused += state_->describe(path, message);
    };
    for (const JsonMember& member : state_->tree.as_object()) {
        const auto section = std::ranges::find(known, member.key, &ConfigSection::name);
        if (section != known.end()) {
            if (!member.value.is_object()) {
                refuse(member.key, "must be a section");
                continue;
            }
            for (const JsonMember& setting : member.value.as_object()) {
                const std::string message = unknown_key(known, *section, setting.key);
                if (!message.empty())
                    refuse(std::string(section->name).append(".").append(setting.key), message);
            }
        } else if (member.value.is_object()) {
            refuse(member.key, unknown_section(known, member.key));
        } else if (!state_->place_of(member.key).starts_with(variable_place)) {
            refuse(member.key, outside_of_sections(known, member.key));
        }
    }
    if (refused.empty()) return {};
    return Error(ErrorKind::invalid, "invalid_config", std::move(refused));
}

template <typename T>
Result<T> Config::get(std::string_view path) const {
    const Json* found = find_path(state_->tree, path);
    if (!found) {
        return Error(ErrorKind::not_found, "required", state_->describe(path, "is not set"));
    }
    T value{};
    std::vector<FieldError> errors;
    if (read_field(&value, ops_of<T>, *found, {.from_text = true}, path, errors)) return value;
    return Error(ErrorKind::invalid, errors.front().code,
                 state_->describe(path, errors.front().message));
}

Result<std::string> Config::get_string(std::string_view path) const {
    return get<std::string>(path);
}
Result<std::int64_t> Config::get_int(std::string_view path) const {
    return get<std::int64_t>(path);
}
Result<double> Config::get_double(std::string_view path) const {
    return get<double>(path);
}
Result<bool> Config::get_bool(std::string_view path) const {
    return get<bool>(path);
}
Result<Duration> Config::get_duration(std::string_view path) const {
    return get<Duration>(path);
}

Result<> Config::read_section(std::string_view path, void* record, const RecordInfo& info) const {
    const Json* table = find_path(state_->tree, path);
    if (!table) return {};
    Result<> read =
        read_json(record, info, *table, {.absent = Absent::keep, .from_text = true, .path = path});
    if (read) return {};
    std::string message;
    for (const FieldError& error : read.error().fields()) {
        if (!message.empty()) message += "\n";
        message += state_->describe(error.field, error.message);
    }
    return Error(ErrorKind::invalid, "invalid_config", std::move(message));
}

}  // namespace bennu
