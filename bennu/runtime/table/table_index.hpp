#pragma once

#include <memory>
#include <vector>

namespace bennu::detail {

/// What a store tells a secondary index, while it holds the lock of the key's slot: before the
/// entry can be found by its key, and after it cannot.
template <typename Key, typename Value>
class IndexHook {
  public:
    virtual ~IndexHook() = default;
    virtual void added(const Key& key, const Value& value) = 0;
    virtual void removed(const Key& key, const Value& value) = 0;
    /// Around a replacement: `replacing` before the new value can be seen, `replaced` after.
    virtual void replacing(const Key& key, const Value& old_value, const Value& new_value) = 0;
    virtual void replaced(const Key& key, const Value& old_value, const Value& new_value) = 0;
};

template <typename Key, typename Value>
using IndexHooks = std::vector<std::shared_ptr<IndexHook<Key, Value>>>;

}  // namespace bennu::detail
