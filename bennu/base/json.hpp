#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bennu/base/result.hpp"

namespace bennu {

struct JsonMember;

enum class JsonType : std::uint8_t { null, boolean, integer, number, string, array, object };

std::string_view to_string(JsonType type);

/// A dynamic JSON value: 16 bytes, strings up to 14 bytes inline, objects keep the order of
/// insertion. A regular value type: copies are deep. Integers (int64) and numbers (double) are told
/// apart, but compare by value.
class Json {
  public:
    using Array = std::vector<Json>;
    using Object = std::vector<JsonMember>;

    Json() noexcept = default;
    Json(std::nullptr_t) noexcept {}
    template <std::same_as<bool> T>
    Json(T value) noexcept : type_(JsonType::boolean) {
        store(value);
    }
    template <std::integral T>
        requires(!std::same_as<T, bool> && !std::same_as<T, char>)
    Json(T value) noexcept {
        if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8) {
            if (value > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
                type_ = JsonType::number;
                store(static_cast<double>(value));
                return;
            }
        }
        type_ = JsonType::integer;
        store(static_cast<std::int64_t>(value));
    }
    Json(double value) noexcept : type_(JsonType::number) { store(value); }
    Json(std::string_view text);
    Json(const std::string& text) : Json(std::string_view(text)) {}
    Json(const char* text) : Json(std::string_view(text)) {}
    explicit Json(Array items);
    explicit Json(Object members);
    /// `Json::array({1, "two", nullptr})`.
    static Json array(std::initializer_list<Json> items = {});
    /// `Json::object({{"a", 1}, {"b", Json::array()}})`; of equal keys the last one wins.
    static Json object(std::initializer_list<JsonMember> members = {});

    Json(const Json& other);
    // Here, since values are moved from hand to hand many times, and this is a few instructions.
    Json(Json&& other) noexcept : length_(other.length_), type_(other.type_) {
        std::memcpy(raw_, other.raw_, sizeof raw_);
        other.type_ = JsonType::null;
    }
    Json& operator=(Json other) noexcept {
        // As a whole: std::swap of an array goes byte by byte.
        char kept[inline_capacity];
        std::memcpy(kept, raw_, sizeof kept);
        std::memcpy(raw_, other.raw_, sizeof kept);
        std::memcpy(other.raw_, kept, sizeof kept);
        std::swap(length_, other.length_);
        std::swap(type_, other.type_);
        return *this;
    }
    ~Json() {
        if (owns_heap()) destroy();
    }

    JsonType type() const { return type_; }
    bool is_null() const { return type_ == JsonType::null; }
    bool is_bool() const { return type_ == JsonType::boolean; }
    bool is_int() const { return type_ == JsonType::integer; }
    /// True for integers too.
    bool is_number() const { return type_ == JsonType::number || is_int(); }
    bool is_string() const { return type_ == JsonType::string; }
    bool is_array() const { return type_ == JsonType::array; }
    bool is_object() const { return type_ == JsonType::object; }

    /// Checked: a value of another type is a fault (throws std::logic_error). as_double also takes
    /// integers.
    bool as_bool() const;
    std::int64_t as_int() const;
    double as_double() const;
    /// Valid until this value changes or moves.
    std::string_view as_string() const;
    const Array& as_array() const;
    Array& as_array();
    const Object& as_object() const;
    Object& as_object();

    /// The value as a T (bool, an integer type, double, std::string_view, std::string) when it is
    /// one and fits.
    template <typename T>
    std::optional<T> get() const;
    /// The member as a T; nothing when it is absent or another type.
    template <typename T>
    std::optional<T> get(std::string_view key) const {
        const Json* member = find(key);
        return member ? member->get<T>() : std::nullopt;
    }

    /// The member, or nullptr when this is not an object or has no such key.
    const Json* find(std::string_view key) const;
    Json* find(std::string_view key);
    bool contains(std::string_view key) const { return find(key) != nullptr; }
    /// Reading an absent member or element gives null, so that `json["a"]["b"]` never fails.
    const Json& operator[](std::string_view key) const;
    const Json& operator[](const char* key) const { return (*this)[std::string_view(key)]; }
    template <std::integral I>
    const Json& operator[](I index) const {
        return at(static_cast<std::size_t>(index));
    }
    /// Elements of an array, members of an object, 0 for everything else.
    std::size_t size() const;

    /// Sets a member of an object (null becomes an object first) and returns it.
    Json& set(std::string_view key, Json value);
    /// Appends to an array (null becomes an array first) and returns the element.
    Json& push_back(Json value);
    /// Removes a member; false when there was none.
    bool erase(std::string_view key);

    /// Objects are equal regardless of order; 1 equals 1.0.
    friend bool operator==(const Json& a, const Json& b);

  private:
    static constexpr std::size_t inline_capacity = 14;
    static constexpr std::uint8_t long_string = 0xff;

    struct [[gnu::packed]] LongString {  // 12 bytes: the type and length after it stay untouched
        char* data;
        std::uint32_t size;
    };
    template <typename T>
    void store(T value) {
        static_assert(sizeof value <= inline_capacity);
        std::memcpy(raw_, &value, sizeof value);
    }
    template <typename T>
    T load() const {
        static_assert(sizeof(T) <= inline_capacity);
        T value;
        std::memcpy(&value, raw_, sizeof value);
        return value;
    }
    bool owns_heap() const {
        return type_ >= JsonType::string && (type_ != JsonType::string || length_ == long_string);
    }
    void destroy() noexcept;
    const Json& at(std::size_t index) const;

    alignas(8) char raw_[inline_capacity] = {};
    std::uint8_t length_ = 0;  // of an inline string
    JsonType type_ = JsonType::null;
};

static_assert(sizeof(Json) == 16);

struct JsonMember {
    std::string key;
    Json value;
};

template <typename T>
std::optional<T> Json::get() const {
    if constexpr (std::same_as<T, bool>) {
        if (is_bool()) return as_bool();
    } else if constexpr (std::integral<T>) {
        if (is_int() && std::in_range<T>(as_int())) return static_cast<T>(as_int());
    } else if constexpr (std::floating_point<T>) {
        if (is_number()) return static_cast<T>(as_double());
    } else {
        static_assert(std::constructible_from<T, std::string_view>, "Json::get of this type");
        if (is_string()) return T(as_string());
    }
    return std::nullopt;
}

struct JsonLimits {
    std::size_t max_depth = 64;
    std::size_t max_bytes = 8 << 20;
};

/// Strict RFC 8259: UTF-8 only, no trailing text, no duplicate keys. A lone surrogate is U+FFFD.
/// Integers outside int64 become doubles; a number beyond double is refused. Errors are `invalid`
/// (`too_large` over max_bytes), with codes `malformed_json`, `duplicate_key`, `invalid_utf8`,
/// `too_deep` or `number_out_of_range`, and a message that ends in the byte offset.
Result<Json> parse_json(std::string_view text, JsonLimits limits = {});

/// Compact and always valid UTF-8: ill-formed sequences become U+FFFD, numbers that JSON cannot
/// hold become null.
std::string to_json(const Json& json);
void write_json(std::string& out, const Json& json);

/// Pieces for writers that build JSON directly: a quoted, escaped string; the shortest form of a
/// double that reads back as the same double.
void append_json_string(std::string& out, std::string_view text);
void append_json_int(std::string& out, std::int64_t value);
void append_json_double(std::string& out, double value);

}  // namespace bennu
