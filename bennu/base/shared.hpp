#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace bennu {

/// An immutable value shared between threads: one allocation, one word, an atomic count. Big
/// message payloads travel as `Shared<T>`. Empty when default constructed or moved from.
template <typename T>
class Shared {
  public:
    Shared() = default;
    Shared(std::nullptr_t) {}
    Shared(const Shared& other) noexcept : node_(other.node_) {
        if (node_) node_->count.fetch_add(1, std::memory_order_relaxed);
    }
    Shared(Shared&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    Shared& operator=(Shared other) noexcept {
        std::swap(node_, other.node_);
        return *this;
    }
    ~Shared() {
        if (node_ && node_->count.fetch_sub(1, std::memory_order_acq_rel) == 1) delete node_;
    }

    explicit operator bool() const { return node_ != nullptr; }
    const T* get() const { return node_ ? &node_->value : nullptr; }
    const T& operator*() const { return node_->value; }
    const T* operator->() const { return &node_->value; }
    /// How many owners there are at this moment; exact only when nobody else can touch it.
    std::size_t use_count() const {
        return node_ ? node_->count.load(std::memory_order_relaxed) : 0;
    }
    friend bool operator==(const Shared& a, const Shared& b) { return a.node_ == b.node_; }

  private:
    struct Node {
        template <typename... Args>
        explicit Node(Args&&... args) : value(std::forward<Args>(args)...) {}
        std::atomic<std::size_t> count{1};
        T value;
    };
    explicit Shared(Node* node) : node_(node) {}
    template <typename U, typename... Args>
    friend Shared<U> make_shared_value(Args&&... args);

    Node* node_ = nullptr;
};

/// Constructs a T in place behind a Shared.
template <typename T, typename... Args>
Shared<T> make_shared_value(Args&&... args) {
    return Shared<T>(new typename Shared<T>::Node(std::forward<Args>(args)...));
}

}  // namespace bennu
