#include "bennu/base/attribute.hpp"

#include <array>
#include <charconv>

#include "bennu/base/duration_text.hpp"

namespace bennu {
namespace {

double milliseconds(Duration duration) {
    return static_cast<double>(duration.count()) / 1e6;
}

void append_unsigned(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr);
}

template <typename... F>
struct Overloaded : F... {
    using F::operator()...;
};

}  // namespace

void write_json(std::string& out, const AttributeValue& value) {
    std::visit(Overloaded{[&](std::monostate) { out += "null"; },
                          [&](bool v) { out += v ? "true" : "false"; },
                          [&](std::int64_t v) { append_json_int(out, v); },
                          [&](std::uint64_t v) { append_unsigned(out, v); },
                          [&](double v) { append_json_double(out, v); },
                          [&](std::string_view v) { append_json_string(out, v); },
                          [&](Duration v) { append_json_double(out, milliseconds(v)); },
                          [&](Timestamp v) { append_json_string(out, to_string(v)); },
                          [&](const Id& v) { append_json_string(out, to_string(v)); },
                          [&](const Json* v) { write_json(out, *v); },
                          [&](const Error* v) { append_json_string(out, v->describe()); }},
               value.data());
}

std::string to_string(const AttributeValue& value) {
    if (const auto* text = std::get_if<std::string_view>(&value.data())) return std::string(*text);
    if (const auto* at = std::get_if<Timestamp>(&value.data())) return to_string(*at);
    if (const auto* id = std::get_if<Id>(&value.data())) return to_string(*id);
    if (const auto* error = std::get_if<const Error*>(&value.data())) return (*error)->describe();
    if (const auto* duration = std::get_if<Duration>(&value.data())) {
        std::array<char, 30> text;
        return std::string(text.data(), write_duration(text.data(), *duration));
    }
    std::string out;
    write_json(out, value);
    return out;
}

}  // namespace bennu
