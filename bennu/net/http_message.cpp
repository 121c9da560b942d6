#include "bennu/net/http_message.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/base/plain_text.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

namespace {
constexpr std::string_view method_names[] = {"GET",   "HEAD",    "POST",    "PUT",   "DELETE",
                                             "PATCH", "OPTIONS", "CONNECT", "TRACE", ""};
/// Most answers have no more than this in their fields.
constexpr std::size_t usual_text = 120;

/// Mostly they are spelled alike.
bool same_name(std::string_view a, std::string_view b) {
    return a == b || iequals(a, b);
}
}  // namespace

std::string_view to_string(Method method) {
    return method_names[static_cast<std::size_t>(method)];
}

Method method_from(std::string_view text) {
    for (std::size_t i = 0; i < std::size(method_names) - 1; ++i) {
        if (method_names[i] == text) return static_cast<Method>(i);
    }
    return Method::other;
}

Headers::Field Headers::operator[](std::size_t index) const {
    const auto& entry = entries_[index];
    std::string_view text = text_;
    return {text.substr(entry.name_at, entry.name_size),
            text.substr(entry.value_at, entry.value_size)};
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
    std::string_view text = text_;
    for (const auto& entry : entries_) {
        if (entry.name_size == name.size() &&
            same_name(text.substr(entry.name_at, entry.name_size), name)) {
            return text.substr(entry.value_at, entry.value_size);
        }
    }
    return std::nullopt;
}

std::string_view Headers::get(std::string_view name) const {
    return find(name).value_or(std::string_view());
}

std::size_t Headers::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(begin(), end(), [&](Field field) { return iequals(field.name, name); }));
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
    bool found = false;
    for (auto field : *this) {
        if (!iequals(field.name, name)) continue;
        for_each_element(field.value,
                         [&](std::string_view element) { found |= iequals(element, token); });
    }
    return found;
}

void Headers::add(std::string_view name, std::string_view value) {
    if (!valid_name(name))
        throw std::invalid_argument("header name is not a token: " + std::string(name));
    if (!valid_value(value)) {
        throw std::invalid_argument("control character in the value of header " +
                                    std::string(name));
    }
    if (text_.size() + name.size() + value.size() > UINT32_MAX)
        throw std::length_error("headers too large");
    // The arguments may be views into text_, which append() handles only when they are its own.
    if (text_.capacity() - text_.size() < name.size() + value.size()) {
        std::string grown;
        grown.reserve(std::max(
            {usual_text, text_.capacity() * 2, text_.size() + name.size() + value.size()}));
        grown.append(text_).append(name).append(value);
        text_.swap(grown);
    } else {
        text_.append(name).append(value);
    }
    auto end = static_cast<std::uint32_t>(text_.size());
    auto name_size = static_cast<std::uint32_t>(name.size());
    auto value_size = static_cast<std::uint32_t>(value.size());
    if (entries_.empty()) entries_.reserve(4);  // an answer has a handful
    entries_.push_back({end - value_size - name_size, name_size, end - value_size, value_size});
}

void Headers::set(std::string_view name, std::string_view value) {
    // Appended first: the arguments may be views into a field that goes.
    add(name, value);
    auto added = entries_.back();
    entries_.pop_back();
    erase(text({added.name_at, added.name_size}));
    entries_.push_back(added);
}

void Headers::erase(std::string_view name) {
    std::erase_if(entries_, [&](const Entry& entry) {
        return iequals(text({entry.name_at, entry.name_size}), name);
    });
}

void Headers::clear() {
    text_.clear();
    entries_.clear();
}

bool Headers::valid_name(std::string_view name) {
    return is_token(name);
}

bool Headers::valid_value(std::string_view value) {
    return plain_run(value) == value.size() ||
           std::none_of(value.begin(), value.end(), is_forbidden_control);
}

}  // namespace bennu::net
