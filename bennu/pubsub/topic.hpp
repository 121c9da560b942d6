#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/shared.hpp"

namespace bennu {

/// The name of a conversation, such as `assets:demo`: immutable shared text, one word, cheap to
/// copy between shards. Every subscriber of a topic on one shard holds the same text
/// (`pubsub::intern`).
class Topic {
  public:
    Topic() = default;
    Topic(std::string text) : text_(make_shared_value<std::string>(std::move(text))) {}
    Topic(std::string_view text) : Topic(std::string(text)) {}
    Topic(const char* text) : Topic(std::string(text)) {}

    std::string_view view() const { return text_ ? std::string_view(*text_) : std::string_view(); }
    operator std::string_view() const { return view(); }
    std::string str() const { return std::string(view()); }
    bool empty() const { return view().empty(); }
    bool starts_with(std::string_view prefix) const { return view().starts_with(prefix); }
    /// What follows the prefix: `room:42` after `room:` is `42`; nothing when the topic begins
    /// otherwise.
    std::optional<std::string_view> after(std::string_view prefix) const {
        if (!starts_with(prefix)) return std::nullopt;
        return view().substr(prefix.size());
    }

    friend bool operator==(const Topic& a, const Topic& b) { return a.view() == b.view(); }
    template <std::convertible_to<std::string_view> T>
        requires(!std::same_as<T, Topic>)
    friend bool operator==(const Topic& a, const T& b) {
        return a.view() == std::string_view(b);
    }

  private:
    Shared<std::string> text_;
};

/// Whether a topic fits a route's pattern: exactly, or up to the `*` that ends it (`room:*`, `*`).
inline bool topic_matches(std::string_view pattern, std::string_view topic) {
    if (!pattern.ends_with('*')) return pattern == topic;
    return topic.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace bennu

template <>
struct std::hash<bennu::Topic> {
    std::size_t operator()(const bennu::Topic& topic) const noexcept {
        return std::hash<std::string_view>()(topic.view());
    }
};
