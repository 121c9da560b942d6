#pragma once

#include "bennu/runtime/table/ordered_store.hpp"
#include "bennu/runtime/table/table_handle.hpp"

namespace bennu {

/// A `Table` whose entries stand in the order of their keys (`<`): ranges, pages, first and last.
/// Handles, ownership, expiry, atomicity and the rules for callbacks are those of `Table`. Reads
/// and walks (`for_each`, `select` too: in order) take no lock; writers take turns (one lock a
/// table, O(log n)).
template <typename Key, typename Value>
class OrderedTable : public detail::TableHandle<OrderedTable<Key, Value>, Key, Value,
                                                detail::OrderedStore<Key, Value>> {
    using Handle =
        detail::TableHandle<OrderedTable<Key, Value>, Key, Value, detail::OrderedStore<Key, Value>>;
    using Lookup = detail::LookupKey<Key>;

  public:
    using Entry = typename Handle::Entry;
    /// A part of a walk. `next` is what to pass to `page` for the part that follows; nothing at the
    /// end.
    struct Page {
        std::vector<Entry> entries;
        std::optional<Key> next;
    };

    using Handle::Handle;

    std::optional<Entry> first() const { return front(range_from({}, 1)); }
    std::optional<Entry> last() const {
        return last_before([](const Key&) { return true; });
    }
    /// The first entry whose key is not less than this one, or greater.
    std::optional<Entry> at_or_after(Lookup key) const {
        return front(walk([&](const Key& k) { return k < key; }, 1, accept_all));
    }
    std::optional<Entry> after(Lookup key) const {
        return front(walk([&](const Key& k) { return !(key < k); }, 1, accept_all));
    }
    std::optional<Entry> before(Lookup key) const {
        return last_before([&](const Key& k) { return k < key; });
    }
    /// The entries with `from <= key < to`, in order, at most `limit`.
    std::vector<Entry> range(Lookup from, Lookup to, std::size_t limit = SIZE_MAX) const {
        return walk([&](const Key& k) { return k < from; }, limit,
                    [&](const Key& k, const Value&) { return k < to ? take_it : stop_here; });
    }
    /// The next `limit` entries from `start` on (nothing: from the first). What is written between
    /// two pages shows if it lies ahead; no entry that stays is skipped or comes twice.
    Page page(std::optional<Key> start, std::size_t limit) const {
        Page page{range_from(start, limit == SIZE_MAX ? limit : limit + 1), {}};
        if (page.entries.size() > limit) {
            page.next = page.entries.back().first;
            page.entries.pop_back();
        }
        return page;
    }

  private:
    enum Step : std::uint8_t { take_it, stop_here };
    static Step accept_all(const Key&, const Value&) { return take_it; }

    template <typename B, typename F>
    std::vector<Entry> walk(B&& before, std::size_t limit, F&& choose) const {
        std::vector<Entry> found;
        if (limit == 0) return found;
        this->store().scan(before, [&](const Key& k, const Value& v, std::int64_t) {
            Step step = choose(k, v);
            if (step == take_it) found.emplace_back(k, v);
            return step != stop_here && found.size() < limit;
        });
        return found;
    }
    std::vector<Entry> range_from(const std::optional<Key>& start, std::size_t limit) const {
        return walk([&](const Key& k) { return start && k < *start; }, limit, accept_all);
    }
    static std::optional<Entry> front(std::vector<Entry> entries) {
        if (entries.empty()) return std::nullopt;
        return std::move(entries.front());
    }
    template <typename B>
    std::optional<Entry> last_before(B&& before) const {
        std::optional<Entry> found;
        this->store().last_before(before,
                                  [&](const Key& k, const Value& v) { found.emplace(k, v); });
        return found;
    }
};

}  // namespace bennu
