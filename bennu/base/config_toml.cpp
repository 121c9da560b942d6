// The one place that knows toml++.
#include "bennu/base/config_toml.hpp"

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include <sstream>

namespace bennu {
namespace {

using Place = Function<void(std::string path, unsigned line)>;

Json convert(const toml::node& node, const std::string& path, Place& place) {
    if (!path.empty()) place(path, static_cast<unsigned>(node.source().begin.line));
    if (const toml::table* table = node.as_table()) {
        Json object = Json::object();
        for (const auto& [key, value] : *table) {
            const std::string inner =
                path.empty() ? std::string(key.str()) : path + "." + std::string(key.str());
            object.set(key.str(), convert(value, inner, place));
            place(inner, static_cast<unsigned>(key.source().begin.line));
        }
        return object;
    }
    if (const toml::array* array = node.as_array()) {
        Json list = Json::array();
        for (const toml::node& item : *array) {
            list.push_back(convert(item, path + "." + std::to_string(list.size()), place));
        }
        return list;
    }
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* integer = node.as_integer()) return integer->get();
    if (const auto* number = node.as_floating_point()) return number->get();
    if (const auto* boolean = node.as_boolean()) return boolean->get();
    std::ostringstream text;
    node.visit([&text](const auto& value) {
        if constexpr (toml::is_chronological<decltype(value)>) text << value.get();
    });
    return text.str();
}

}  // namespace

Result<> read_toml(std::string_view text, std::string_view file_name, Json& tree, Place place) {
    try {
        tree = convert(toml::parse(text, file_name), {}, place);
        return {};
    } catch (const toml::parse_error& failure) {
        return Error(ErrorKind::invalid, "malformed_toml",
                     std::string(file_name) + ":" + std::to_string(failure.source().begin.line) +
                         ": " + std::string(failure.description()));
    }
}

}  // namespace bennu
