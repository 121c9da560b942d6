#pragma once

#include <utility>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/runtime/table/ordered_store.hpp"

namespace bennu {

namespace detail {

/// The entries of a secondary index: (field, key), sorted. The table keeps it up to date under the
/// lock of each entry: a pair is there at least as long as an entry with that field can be found.
template <typename Key, typename Value, typename Field>
class IndexStore final : public IndexHook<Key, Value> {
    struct Nothing {};

  public:
    explicit IndexStore(Function<Field(const Value&) const> field) : field_(std::move(field)) {}

    void added(const Key& key, const Value& value) override {
        pairs_.put({field_(value), key}, {}, 0, false);
    }
    void removed(const Key& key, const Value& value) override {
        pairs_.take(std::pair<Field, Key>(field_(value), key), [](const Nothing&) {});
    }
    void replacing(const Key& key, const Value& old_value, const Value& new_value) override {
        if (!(field_(old_value) == field_(new_value))) added(key, new_value);
    }
    void replaced(const Key& key, const Value& old_value, const Value& new_value) override {
        if (!(field_(old_value) == field_(new_value))) removed(key, old_value);
    }
    Field field(const Value& value) const { return field_(value); }

    /// `use(const Field&, const Key&)` from the first pair whose field is not less.
    template <typename F>
    void scan(const Field& from, F&& use) {
        pairs_.scan([&](const auto& pair) { return pair.first < from; },
                    [&](const auto& pair, const Nothing&, std::int64_t) {
                        return use(pair.first, pair.second);
                    });
    }

  private:
    Function<Field(const Value&) const> field_;
    OrderedStore<std::pair<Field, Key>, Nothing> pairs_;
};

}  // namespace detail

/// Finds the entries of a table by a field of their values. A handle; any shard. Each entry that it
/// returns has that field at the moment it is read; one that has it all the while is never missed.
template <typename Table, typename Field>
class SecondaryIndex {
    using Key = typename Table::Entry::first_type;
    using Value = typename Table::Entry::second_type;
    using Store = detail::IndexStore<Key, Value, Field>;

  public:
    SecondaryIndex(Table table, std::shared_ptr<Store> store)
        : table_(std::move(table)), store_(std::move(store)) {}

    /// The entries with this field, in the order of their keys.
    std::vector<typename Table::Entry> find(const Field& field,
                                            std::size_t limit = SIZE_MAX) const {
        return range(field, field, limit);
    }
    /// The entries whose field is between the two, both included, in its order.
    std::vector<typename Table::Entry> range(const Field& from, const Field& to,
                                             std::size_t limit = SIZE_MAX) const {
        std::vector<typename Table::Entry> found;
        if (limit == 0) return found;
        store_->scan(from, [&](const Field& field, const Key& key) {
            if (to < field) return false;
            table_.read(key, [&](const Value& value) {
                if (store_->field(value) == field) found.emplace_back(key, value);
            });
            return found.size() < limit;
        });
        return found;
    }
    std::size_t count(const Field& field) const { return find(field).size(); }

  private:
    Table table_;
    std::shared_ptr<Store> store_;
};

}  // namespace bennu
