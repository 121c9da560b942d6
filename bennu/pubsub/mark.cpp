#include "bennu/pubsub/mark.hpp"

#include <algorithm>
#include <charconv>

#include "bennu/base/json.hpp"
#include "bennu/runtime/context.hpp"

namespace bennu::pubsub {

namespace {

constexpr std::string_view space = " \t\r\n";
constexpr std::size_t longest_epoch = 15;

bool is_epoch_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

}  // namespace

bool is_epoch(std::string_view text) {
    return !text.empty() && text.size() <= longest_epoch &&
           std::ranges::all_of(text, is_epoch_character);
}

std::string new_epoch() {
    static constexpr std::string_view digits =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    std::string epoch;
    std::uint64_t bits = random().next();
    for (int i = 0; i < 10; ++i, bits >>= 6) epoch += digits[bits & 63];
    return epoch;
}

std::optional<std::string> object_without(std::string json, std::string_view key) {
    const std::size_t begin = json.find_first_not_of(space);
    if (begin == std::string::npos || json[begin] != '{') return std::nullopt;
    json.erase(json.find_last_not_of(space) + 1);
    json.erase(0, begin);
    // A client that sends back what it got sends the old mark along.
    if (json.contains('"' + std::string(key) + '"')) {
        Result<Json> parsed = parse_json(json, {.max_depth = 1000, .max_bytes = json.size()});
        if (!parsed || !parsed->is_object()) return std::nullopt;
        if (parsed->erase(key)) json = to_json(*parsed);
    }
    return json;
}

void append_member(std::string& object, std::string_view key, std::string_view value) {
    object.pop_back();
    object.erase(object.find_last_not_of(space) + 1);
    if (object.size() > 1) object += ',';
    object += '"';
    object.append(key).append("\":").append(value).append("}");
}

void append_mark(std::string& object, const Mark& mark) {
    append_member(object, mark_key,
                  "[\"" + mark.epoch + "\"," + std::to_string(mark.sequence) + "]");
}

std::optional<Mark> read_mark(std::string_view object) {
    static constexpr std::string_view before = "\"_at\":[\"", between = "\",", after = "]}";
    if (!object.starts_with('{') || !object.ends_with(after)) return std::nullopt;
    const std::size_t at = object.rfind(before);
    if (at == std::string_view::npos || (object[at - 1] != ',' && at != 1)) return std::nullopt;
    std::string_view rest = object.substr(at + before.size());
    rest.remove_suffix(after.size());
    const std::size_t end = rest.find(between);
    if (end == std::string_view::npos || !is_epoch(rest.substr(0, end))) return std::nullopt;
    Mark mark{.epoch = std::string(rest.substr(0, end))};
    rest.remove_prefix(end + between.size());
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), mark.sequence);
    if (read.ec != std::errc() || read.ptr != rest.data() + rest.size() || rest.starts_with('0') ||
        mark.sequence > last_sequence)
        return std::nullopt;
    return mark;
}

}  // namespace bennu::pubsub
