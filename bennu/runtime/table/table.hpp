#pragma once

#include "bennu/runtime/table/hash_store.hpp"
#include "bennu/runtime/table/table_handle.hpp"

namespace bennu {

/// An in-memory table that every shard reads and writes directly, without a message: sessions,
/// caches, limits, presence, routes. A hash table; for order and ranges see `OrderedTable`. What it
/// can do stands in `table_handle.hpp`; walks (`for_each`, `select`) come in no order.
///
/// * **A handle**: copies are cheap and mean the same table. Any shard, and threads beside them.
/// * **Atomic by entry**: each operation on a key happens at once; there is no transaction over
///   several keys, and what goes through the whole table (`for_each`, `select`, `save`) sees each
///   entry at a moment of its own.
/// * **Reads take no lock** and never wait for a callback of a writer. Keys and values that are
///   trivially copyable and at most 64 bytes live in the slot; others in immutable records, which
///   are freed when no reader can look at them any more.
/// * **Owner**: the process that makes a table owns it. When it ends the table closes in the same
///   step, unless an heir is named. A closed table is empty and adding to it is a fault
///   (`TableClosed`). Made beside the shards it has no owner and lives until `close`, or, when it
///   has no name, as long as its handles.
/// * **Expiry** follows the runtime's clock. Nobody sees an expired entry; a sweeper destroys it.
///
/// Callbacks that run under a lock (`update`, `compute`, `erase_if`, index functions)
/// must be short, must not suspend and must not use the same table. An exception in one leaves the
/// entry as it was.
template <typename Key, typename Value>
class Table
    : public detail::TableHandle<Table<Key, Value>, Key, Value, detail::HashStore<Key, Value>> {
    using Handle =
        detail::TableHandle<Table<Key, Value>, Key, Value, detail::HashStore<Key, Value>>;

  public:
    using Handle::Handle;
};

}  // namespace bennu
