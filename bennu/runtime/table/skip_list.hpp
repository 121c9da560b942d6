#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <new>

#include "bennu/runtime/table/quiescence.hpp"

namespace bennu::detail {

/// A value and its expiry, immutable: replaced as a whole.
template <typename Value>
struct OrderedRecord {
    Value value;
    std::int64_t expires;
};

/// A sorted list with express lanes. Any number of readers under a ReadGuard, without locks; one
/// writer at a time, which the caller sees to.
///
/// A reader that stands on a node that is being unlinked goes on: the node keeps its links, and
/// nothing it can lead to is destroyed while the reader is there.
template <typename Key, typename Value>
class SkipList {
  public:
    using Record = OrderedRecord<Value>;
    static constexpr int max_height = 20;

    struct Node {
        Key key;
        std::atomic<Record*> record;
        std::uint8_t height;

        std::atomic<Node*>* tower() { return reinterpret_cast<std::atomic<Node*>*>(this + 1); }
        Node* next() { return tower()[0].load(std::memory_order_acquire); }
    };
    static_assert(alignof(Node) <= 2 * alignof(void*));

    SkipList() = default;
    ~SkipList() {
        Node* node = first();
        while (node) {
            Node* next = node->next();
            delete node->record.load();
            destroy(node);
            node = next;
        }
    }
    SkipList(const SkipList&) = delete;
    SkipList& operator=(const SkipList&) = delete;

    Node* first() { return head_[0].load(std::memory_order_acquire); }
    /// The first node for which `before(key)` is false; `before` is true for a prefix of the keys.
    template <typename F>
    Node* seek(F&& before) {
        return walk(before, [](int, std::atomic<Node*>*) {}).after;
    }
    /// The last node for which `before(key)` is true.
    template <typename F>
    Node* seek_last(F&& before) {
        return walk(before, [](int, std::atomic<Node*>*) {}).node;
    }

    /// The writer's way to a place in the list: the links that lead over it, level by level.
    struct Place {
        std::array<std::atomic<Node*>*, max_height> links;
        Node* node = nullptr;  ///< the first that is not before the place
    };
    template <typename F>
    Place place(F&& before) {
        Place place;
        for (int level = 0; level < max_height; ++level) place.links[level] = &head_[level];
        place.node = walk(before, [&](int level, std::atomic<Node*>* link) {
                         place.links[level] = link;
                     }).after;
        return place;
    }
    Node* insert(const Place& place, Key&& key, Record* record) {
        int height = random_height();
        void* memory = ::operator new(sizeof(Node) + height * sizeof(std::atomic<Node*>));
        Node* node = ::new (memory) Node{std::move(key), record, static_cast<std::uint8_t>(height)};
        if (height > height_.load(std::memory_order_relaxed))
            height_.store(height, std::memory_order_release);
        // From below upwards: who comes by an express lane finds the node complete.
        for (int level = 0; level < height; ++level) {
            ::new (node->tower() + level)
                std::atomic<Node*>(place.links[level]->load(std::memory_order_relaxed));
        }
        for (int level = 0; level < height; ++level)
            place.links[level]->store(node, std::memory_order_release);
        return node;
    }
    /// Takes `place.node` out and retires it with its record.
    void erase(const Place& place) {
        Node* node = place.node;
        for (int level = node->height; level-- > 0;) {
            place.links[level]->store(node->tower()[level].load(std::memory_order_relaxed),
                                      std::memory_order_release);
        }
        retire(node->record.load(std::memory_order_relaxed));
        retire(node, [](void* p) { destroy(static_cast<Node*>(p)); });
    }
    static void replace(Node& node, Record* record) {
        retire(node.record.load(std::memory_order_relaxed));
        node.record.store(record, std::memory_order_release);
    }

  private:
    struct Ends {
        Node* node;   ///< null: before all
        Node* after;  ///< null: at the end
    };
    template <typename F, typename S>
    Ends walk(F&& before, S&& step_down) {
        Ends ends{nullptr, nullptr};
        std::atomic<Node*>* tower = head_.data();
        for (int level = height_.load(std::memory_order_acquire); level-- > 0;) {
            Node* next = tower[level].load(std::memory_order_acquire);
            while (next && before(next->key)) {
                ends.node = next;
                tower = next->tower();
                next = tower[level].load(std::memory_order_acquire);
            }
            step_down(level, &tower[level]);
            ends.after = next;
        }
        return ends;
    }
    int random_height() {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        int height = 1;
        for (std::uint64_t bits = random_; height < max_height && (bits & 3) == 0; bits >>= 2)
            ++height;
        return height;
    }
    static void destroy(Node* node) {
        node->~Node();
        ::operator delete(node);
    }

    std::array<std::atomic<Node*>, max_height> head_{};
    std::atomic<int> height_{1};
    std::uint64_t random_ = 0x9E3779B97F4A7C15ULL;
};

}  // namespace bennu::detail
