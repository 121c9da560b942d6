#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace bennu {

/// Text that must not leak into logs, JSON or crash reports: everything that prints it writes
/// `***`. Wiped when destroyed. `reveal()` is the one way to the text, easy to search for.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    Secret& operator=(Secret other) noexcept {
        text_.swap(other.text_);
        return *this;
    }
    ~Secret() { wipe(); }

    std::string_view reveal() const { return text_; }
    bool empty() const { return text_.empty(); }
    /// Compares in a time that does not depend on where they differ.
    friend bool operator==(const Secret& a, const Secret& b);

    static constexpr std::string_view mask = "***";

  private:
    void wipe() noexcept;
    std::string text_;
};

}  // namespace bennu
