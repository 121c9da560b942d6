#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "bennu/base/id.hpp"
#include "bennu/base/json.hpp"
#include "bennu/base/result.hpp"
#include "bennu/base/secret.hpp"
#include "bennu/base/time.hpp"

namespace bennu {

/// A value beside a log message or an event. Never allocates; text, Json and Error are borrowed, so
/// that it must not outlive the call it is passed to.
class AttributeValue {
  public:
    using Data = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                              std::string_view, Duration, Timestamp, Id, const Json*, const Error*>;

    AttributeValue() = default;
    template <std::same_as<bool> T>
    AttributeValue(T value) : data_(value) {}
    template <std::signed_integral T>
    AttributeValue(T value) : data_(static_cast<std::int64_t>(value)) {}
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    AttributeValue(T value) : data_(static_cast<std::uint64_t>(value)) {}
    AttributeValue(double value) : data_(value) {}
    AttributeValue(std::string_view text) : data_(text) {}
    AttributeValue(const std::string& text) : data_(std::string_view(text)) {}
    AttributeValue(const char* text) : data_(std::string_view(text)) {}
    template <typename Rep, typename Period>
    AttributeValue(std::chrono::duration<Rep, Period> duration)
        : data_(std::chrono::duration_cast<Duration>(duration)) {}
    AttributeValue(Timestamp at) : data_(at) {}
    AttributeValue(const Id& id) : data_(id) {}
    AttributeValue(const Json& json) : data_(&json) {}
    AttributeValue(const Error& error) : data_(&error) {}
    AttributeValue(const Secret&) : data_(Secret::mask) {}

    const Data& data() const { return data_; }

  private:
    Data data_;
};

struct Attribute {
    std::string_view key;
    AttributeValue value;
};

using Attributes = std::initializer_list<Attribute>;

/// The value as JSON: durations as milliseconds, errors as their description.
void write_json(std::string& out, const AttributeValue& value);
/// The value as people read it; text without quotes.
std::string to_string(const AttributeValue& value);

}  // namespace bennu
