#pragma once

#include <string>

#include "bennu/runtime/table/table_base.hpp"
#include "bennu/runtime/table/table_codec.hpp"

namespace bennu::detail {

/// A table on disk: one header (magic, format, the table's version, its types, count, checksum),
/// then the entries, each with the wall-clock time at which it expires, so that time that passes
/// while nothing runs counts.
class SnapshotWriter {
  public:
    SnapshotWriter(const TableOptions& options, const char* types);
    /// The buffer that the next entry is appended to; it is written out as it grows.
    std::string& begin_entry(std::int64_t expires);
    /// Writes, syncs and renames. Error `io`; then the old file is as it was.
    Result<std::size_t> finish(const std::string& path);

  private:
    std::uint32_t version_;
    std::uint64_t types_;
    std::uint64_t count_ = 0;
    std::int64_t wall_ahead_ms_;  ///< wall-clock time minus the clock that expiry follows
    std::string body_;
};

class SnapshotReader {
  public:
    /// Reads and checks the whole file. Errors `io`, `not_found`, `invalid`, `unsupported`.
    static Result<SnapshotReader> open(const std::string& path, const TableOptions& options,
                                       const char* types);
    std::uint64_t count() const { return count_; }
    std::string_view& rest() { return rest_; }
    /// The next entry's expiry on the clock that tables follow (0: never); false when it expired
    /// meanwhile.
    bool begin_entry(std::int64_t& expires, bool& damaged);
    static Error damaged(const std::string& path);

  private:
    std::shared_ptr<std::string> file_;
    std::string_view rest_;
    std::uint64_t count_ = 0;
    std::int64_t wall_ahead_ms_ = 0;
};

template <typename Key, typename Value, typename Store>
Result<std::size_t> save_store(Store& store, const TableOptions& options, const std::string& path) {
    SnapshotWriter writer(options, type_name_of<std::pair<Key, Value>>());
    store.for_each([&](const Key& key, const Value& value, std::int64_t expires) {
        std::string& out = writer.begin_entry(expires);
        TableCodec<Key>::write(out, key);
        TableCodec<Value>::write(out, value);
        return true;
    });
    return writer.finish(path);
}

template <typename Key, typename Value, typename Store>
Result<std::size_t> load_store(Store& store, TableBase& table, const std::string& path) {
    auto reader =
        SnapshotReader::open(path, table.options(), type_name_of<std::pair<Key, Value>>());
    if (!reader) return std::move(reader).error();
    struct Loaded {
        Key key;
        Value value;
        std::int64_t expires;
    };
    std::vector<Loaded> entries;  // all of them first: a damaged file changes nothing
    for (std::uint64_t i = 0; i < reader->count(); ++i) {
        Loaded entry{};
        bool damaged = false;
        bool live = reader->begin_entry(entry.expires, damaged);
        if (damaged || !TableCodec<Key>::read(reader->rest(), entry.key) ||
            !TableCodec<Value>::read(reader->rest(), entry.value))
            return SnapshotReader::damaged(path);
        if (live) entries.push_back(std::move(entry));
    }
    if (!reader->rest().empty()) return SnapshotReader::damaged(path);
    std::size_t stored = 0;
    for (Loaded& entry : entries) {
        std::int64_t expires = entry.expires;
        if (store.put(std::move(entry.key), std::move(entry.value), expires, false) != Stored::full)
            ++stored;
        if (expires != 0) table.expiring();
    }
    return stored;
}

}  // namespace bennu::detail
