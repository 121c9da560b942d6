#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "bennu/runtime/type_name.hpp"

namespace bennu {

/// What plugs leave for later plugs and actions: at most one value per type. A short list, since
/// requests carry a handful of them.
class Assigns {
  public:
    Assigns() = default;
    Assigns(const Assigns&) = delete;
    Assigns& operator=(const Assigns&) = delete;
    ~Assigns() {
        while (first_) delete std::exchange(first_, first_->next);
    }

    /// Sets or replaces the value of its type.
    template <typename T>
    T& set(T value) {
        if (T* present = find<T>()) return *present = std::move(value);
        auto* node = new Holder<T>(std::move(value));
        node->next = first_;
        first_ = node;
        return node->value;
    }
    /// nullptr when there is none.
    template <typename T>
    T* find() const {
        for (Node* node = first_; node; node = node->next) {
            if (node->key == &type_key<T>) return &static_cast<Holder<T>*>(node)->value;
        }
        return nullptr;
    }
    /// A value that a plug of the pipeline promised; its absence is a fault.
    template <typename T>
    T& get() const {
        if (T* present = find<T>()) return *present;
        throw std::logic_error("no plug assigned a " + std::string(detail::type_name_of<T>()));
    }

  private:
    struct Node {
        explicit Node(const char* type) : key(type) {}
        virtual ~Node() = default;
        const char* key;
        Node* next = nullptr;
    };
    template <typename T>
    static inline const char type_key = 0;
    template <typename T>
    struct Holder : Node {
        explicit Holder(T v) : Node(&type_key<T>), value(std::move(v)) {}
        T value;
    };

    Node* first_ = nullptr;
};

}  // namespace bennu
