#include "bennu/base/json.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace bennu {
namespace {

const Json null_json;

[[noreturn]] void wrong_type(std::string_view wanted, JsonType type) {
    throw std::logic_error("JSON value is " + std::string(to_string(type)) + ", not " +
                           std::string(wanted));
}

}  // namespace

std::string_view to_string(JsonType type) {
    static constexpr std::array<std::string_view, 7> names{"null",   "boolean", "integer", "number",
                                                           "string", "array",   "object"};
    return names[static_cast<std::size_t>(type)];
}

Json::Json(std::string_view text) : type_(JsonType::string) {
    if (text.size() <= inline_capacity) {
        length_ = static_cast<std::uint8_t>(text.size());
        if (!text.empty()) std::memcpy(raw_, text.data(), text.size());
        return;
    }
    if (text.size() > UINT32_MAX) throw std::length_error("JSON string over 4 GiB");
    LongString string{new char[text.size()], static_cast<std::uint32_t>(text.size())};
    std::memcpy(string.data, text.data(), text.size());
    store(string);
    length_ = long_string;
}

Json::Json(Array items) : type_(JsonType::array) {
    store(new Array(std::move(items)));
}

Json::Json(Object members) : type_(JsonType::object) {
    store(new Object(std::move(members)));
}

Json Json::array(std::initializer_list<Json> items) {
    return Json(Array(items));
}

Json Json::object(std::initializer_list<JsonMember> members) {
    Json object{Object()};
    object.as_object().reserve(members.size());
    for (const JsonMember& member : members) object.set(member.key, member.value);
    return object;
}

Json::Json(const Json& other) : length_(other.length_), type_(other.type_) {
    if (!other.owns_heap()) {
        std::memcpy(raw_, other.raw_, sizeof raw_);
    } else if (type_ == JsonType::array) {
        store(new Array(other.as_array()));
    } else if (type_ == JsonType::object) {
        store(new Object(other.as_object()));
    } else {
        const auto source = other.load<LongString>();
        LongString string{new char[source.size], source.size};
        std::memcpy(string.data, source.data, source.size);
        store(string);
    }
}

void Json::destroy() noexcept {
    switch (type_) {
        case JsonType::string:
            delete[] load<LongString>().data;
            break;
        case JsonType::array:
            delete load<Array*>();
            break;
        default:
            delete load<Object*>();
            break;
    }
}

bool Json::as_bool() const {
    if (!is_bool()) wrong_type("boolean", type_);
    return load<bool>();
}

std::int64_t Json::as_int() const {
    if (!is_int()) wrong_type("integer", type_);
    return load<std::int64_t>();
}

double Json::as_double() const {
    if (is_int()) return static_cast<double>(load<std::int64_t>());
    if (type_ != JsonType::number) wrong_type("number", type_);
    return load<double>();
}

std::string_view Json::as_string() const {
    if (!is_string()) wrong_type("string", type_);
    if (length_ != long_string) return {raw_, length_};
    const auto string = load<LongString>();
    return {string.data, string.size};
}

const Json::Array& Json::as_array() const {
    if (!is_array()) wrong_type("array", type_);
    return *load<Array*>();
}

Json::Array& Json::as_array() {
    if (!is_array()) wrong_type("array", type_);
    return *load<Array*>();
}

const Json::Object& Json::as_object() const {
    if (!is_object()) wrong_type("object", type_);
    return *load<Object*>();
}

Json::Object& Json::as_object() {
    if (!is_object()) wrong_type("object", type_);
    return *load<Object*>();
}

const Json* Json::find(std::string_view key) const {
    if (!is_object()) return nullptr;
    for (const JsonMember& member : *load<Object*>()) {
        if (member.key == key) return &member.value;
    }
    return nullptr;
}

Json* Json::find(std::string_view key) {
    return const_cast<Json*>(std::as_const(*this).find(key));
}

const Json& Json::operator[](std::string_view key) const {
    const Json* member = find(key);
    return member ? *member : null_json;
}

const Json& Json::at(std::size_t index) const {
    if (!is_array() || index >= as_array().size()) return null_json;
    return as_array()[index];
}

std::size_t Json::size() const {
    if (is_array()) return as_array().size();
    return is_object() ? as_object().size() : 0;
}

Json& Json::set(std::string_view key, Json value) {
    if (is_null()) *this = Json(Object());
    if (Json* member = find(key)) return *member = std::move(value);
    return as_object().emplace_back(JsonMember{std::string(key), std::move(value)}).value;
}

Json& Json::push_back(Json value) {
    if (is_null()) *this = Json(Array());
    return as_array().emplace_back(std::move(value));
}

bool Json::erase(std::string_view key) {
    if (!is_object()) return false;
    return std::erase_if(as_object(), [key](const JsonMember& m) { return m.key == key; }) > 0;
}

bool operator==(const Json& a, const Json& b) {
    if (a.is_number() && b.is_number()) {
        if (a.is_int() && b.is_int()) return a.as_int() == b.as_int();
        if (!a.is_int() && !b.is_int()) return a.as_double() == b.as_double();
        const std::int64_t integer = a.is_int() ? a.as_int() : b.as_int();
        const double number = a.is_int() ? b.as_double() : a.as_double();
        // Every int64 lies in [-2^63, 2^63); within it the cast is exact for whole doubles.
        return number >= -0x1p63 && number < 0x1p63 &&
               static_cast<std::int64_t>(number) == integer &&
               static_cast<double>(static_cast<std::int64_t>(number)) == number;
    }
    if (a.type() != b.type()) return false;
    switch (a.type()) {
        case JsonType::boolean:
            return a.as_bool() == b.as_bool();
        case JsonType::string:
            return a.as_string() == b.as_string();
        case JsonType::array:
            return a.as_array() == b.as_array();
        case JsonType::object:
            return a.size() == b.size() && std::ranges::all_of(a.as_object(), [&](const auto& m) {
                       const Json* other = b.find(m.key);
                       return other && *other == m.value;
                   });
        default:
            return true;
    }
}

}  // namespace bennu
