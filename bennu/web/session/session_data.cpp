#include "bennu/web/session/session_data.hpp"

namespace bennu::detail {

namespace {

constexpr std::int64_t last_second = 253'402'300'799;  // of the year 9999

bool read_time(const Json& object, std::string_view key, Timestamp& time) {
    std::optional<std::int64_t> seconds = object.get<std::int64_t>(key);
    if (!seconds || *seconds < 0 || *seconds > last_second) return false;
    time = {*seconds * 1000};
    return true;
}

/// An absent part is an empty one.
bool read_object(const Json& object, std::string_view key, Json& part) {
    const Json* found = object.find(key);
    if (found && found->is_object()) part = *found;
    return !found || found->is_object();
}

bool read_text(const Json& object, std::string_view key, std::string& text) {
    const Json* found = object.find(key);
    if (found && found->is_string()) text = found->as_string();
    return !found || found->is_string();
}

}  // namespace

bool SessionData::empty() const {
    return values.size() == 0 && flash.size() == 0 && forgery.empty() && id.empty();
}

std::string SessionData::encode() const {
    Json object = Json::object({{"c", created.ms / 1000}, {"s", seen.ms / 1000}});
    if (values.size() > 0) object.set("v", values);
    if (flash.size() > 0) object.set("f", flash);
    if (!forgery.empty()) object.set("t", forgery);
    if (!id.empty()) object.set("i", id);
    return to_json(object);
}

std::optional<SessionData> SessionData::decode(std::string_view text) {
    Result<Json> object = parse_json(text);
    if (!object || !object->is_object()) return std::nullopt;
    SessionData data;
    bool whole = read_time(*object, "c", data.created) && read_time(*object, "s", data.seen) &&
                 read_object(*object, "v", data.values) && read_object(*object, "f", data.flash) &&
                 read_text(*object, "t", data.forgery) && read_text(*object, "i", data.id);
    if (!whole) return std::nullopt;
    return data;
}

}  // namespace bennu::detail
