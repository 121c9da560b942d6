#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace bennu {

/// Immutable text that many hold: one word each, one allocation for all (eight bytes and the
/// text), none when it is empty. An atomic count, so that copies may go to other threads.
class SharedText {
  public:
    SharedText() = default;
    template <std::convertible_to<std::string_view> T>
        requires(!std::same_as<T, SharedText>)
    SharedText(const T& text) : node_(make(text)) {}
    SharedText(const SharedText& other) noexcept : node_(other.node_) {
        if (node_) node_->count.fetch_add(1, std::memory_order_relaxed);
    }
    SharedText(SharedText&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    SharedText& operator=(SharedText other) noexcept {
        std::swap(node_, other.node_);
        return *this;
    }
    ~SharedText() {
        if (node_ && node_->count.fetch_sub(1, std::memory_order_acq_rel) == 1)
            ::operator delete(node_, sizeof(Node) + node_->size);
    }

    std::string_view view() const {
        return node_ ? std::string_view(node_->text(), node_->size) : std::string_view();
    }
    operator std::string_view() const { return view(); }
    std::string str() const { return std::string(view()); }
    std::size_t size() const { return node_ ? node_->size : 0; }
    bool empty() const { return node_ == nullptr; }

    friend bool operator==(const SharedText& a, const SharedText& b) {
        return a.node_ == b.node_ || a.view() == b.view();
    }
    template <std::convertible_to<std::string_view> T>
        requires(!std::same_as<T, SharedText>)
    friend bool operator==(const SharedText& a, const T& b) {
        return a.view() == std::string_view(b);
    }

    /// For maps that are asked by any text.
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

  private:
    struct Node {
        std::atomic<std::uint32_t> count{1};
        std::uint32_t size;
        char* text() { return reinterpret_cast<char*>(this + 1); }
    };
    static Node* make(std::string_view text) {
        if (text.empty()) return nullptr;
        auto* node = ::new (::operator new(sizeof(Node) + text.size()))
            Node{.size = static_cast<std::uint32_t>(text.size())};
        text.copy(node->text(), text.size());
        return node;
    }

    Node* node_ = nullptr;
};

}  // namespace bennu
