#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bennu::detail {

/// Deferred destruction for readers that take no lock. What was made unreachable is `retire`d; it
/// is destroyed once every thread that might still look at it has passed a point where it looks at
/// nothing: the start of its next table operation, or the end of its shard's turn.
///
/// A shard's thread stays registered from its first operation of a turn to the end of that turn, so
/// an operation costs two loads and a comparison. A thread beside the shards registers for each
/// operation. A shard that sleeps, or that uses no tables, holds nothing up.
struct Reader {
    /// The epoch that this thread has announced; 0: it looks at nothing.
    alignas(64) std::atomic<std::uint64_t> seen{0};
    std::uint32_t depth = 0;
    /// Unregister as soon as `depth` is 0: there is no turn whose end would do it.
    bool leave_at_once = false;
};

extern constinit thread_local Reader* this_reader;
extern std::atomic<std::uint64_t> reader_epoch;

/// Announces the present epoch for this thread.
void enter_readers();
void leave_readers(Reader& reader);

/// While one is alive on a thread, what the thread found in a table is not destroyed. Not across a
/// `co_await`.
class ReadGuard {
  public:
    ReadGuard() {
        Reader* reader = this_reader;
        if (!reader || reader->seen.load(std::memory_order_relaxed) !=
                           reader_epoch.load(std::memory_order_acquire)) [[unlikely]] {
            enter_readers();
            reader = this_reader;
        }
        ++reader->depth;
        reader_ = reader;
    }
    ~ReadGuard() {
        if (--reader_->depth == 0 && reader_->leave_at_once) leave_readers(*reader_);
    }
    ReadGuard(const ReadGuard&) = delete;
    ReadGuard& operator=(const ReadGuard&) = delete;

  private:
    Reader* reader_;
};

/// Takes over something that no new reader can find; `destroy` runs later, on this thread if it
/// lives. Never destroys anything itself, so it may be called with locks held.
void retire(void* object, void (*destroy)(void*));
template <typename T>
void retire(T* object) {
    retire(object, [](void* p) { delete static_cast<T*>(p); });
}

/// Destroys what this thread retired and nobody can see any more, if enough has come together. Call
/// without locks: destructors run here. When more than `retired_limit` objects wait for a slow
/// reader, the caller is held back for at most a millisecond.
void reclaim_some();
/// As much as possible now, waiting for nobody.
void reclaim_all();
/// How many objects wait on this thread.
std::size_t retired_count();

inline constexpr std::size_t retired_batch = 64;
inline constexpr std::size_t retired_limit = 4096;

}  // namespace bennu::detail
