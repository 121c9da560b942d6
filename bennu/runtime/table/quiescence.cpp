#include "bennu/runtime/table/quiescence.hpp"

#include <sched.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "bennu/runtime/context.hpp"

namespace bennu::detail {

constinit thread_local Reader* this_reader = nullptr;
alignas(64) std::atomic<std::uint64_t> reader_epoch{1};

namespace {

struct Retired {
    void* object;
    void (*destroy)(void*);
    std::uint64_t epoch;  ///< may be destroyed once every reader has announced this; 0: none yet
};

/// Every reader there ever was; a thread that ends leaves its place to a later one.
class Readers {
  public:
    static Readers& instance() {
        static auto* readers = new Readers;  // outlives every thread
        return *readers;
    }
    Reader* join() {
        std::lock_guard lock(mutex_);
        if (!free_.empty()) {
            Reader* reader = free_.back();
            free_.pop_back();
            return reader;
        }
        all_.push_back(std::make_unique<Reader>());
        return all_.back().get();
    }
    void part(Reader* reader, std::vector<Retired>&& left) {
        std::lock_guard lock(mutex_);
        free_.push_back(reader);
        orphans_.insert(orphans_.end(), left.begin(), left.end());
    }
    void adopt(std::vector<Retired>& into) {
        std::lock_guard lock(mutex_);
        into.insert(into.end(), orphans_.begin(), orphans_.end());
        orphans_.clear();
    }
    /// The oldest epoch that a registered reader may still be in.
    std::uint64_t oldest() {
        std::lock_guard lock(mutex_);
        std::uint64_t oldest = reader_epoch.load(std::memory_order_acquire);
        for (auto& reader : all_) {
            // A read-modify-write: either it comes before the reader's own exchange, which then
            // sees everything that was made unreachable before, or it sees the reader.
            std::uint64_t seen = reader->seen.fetch_add(0, std::memory_order_seq_cst);
            if (seen != 0 && seen < oldest) oldest = seen;
        }
        return oldest;
    }

  private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Reader>> all_;
    std::vector<Reader*> free_;
    std::vector<Retired> orphans_;
};

/// What one thread retired, oldest first.
class Limbo {
  public:
    ~Limbo() {
        if (!reader_) return;
        destroy_seen();
        this_reader = nullptr;
        Readers::instance().part(reader_, std::move(retired_));
    }
    Reader* reader() {
        if (!reader_) {
            reader_ = Readers::instance().join();
            this_reader = reader_;
        }
        return reader_;
    }
    void push(void* object, void (*destroy)(void*)) { retired_.push_back({object, destroy, 0}); }
    std::size_t size() const { return retired_.size(); }
    bool due() const { return retired_.size() >= next_look_; }

    /// Everything that was retired so far gets an epoch that no reader has announced yet.
    void stamp() {
        if (stamped_ == retired_.size()) return;
        std::uint64_t epoch = reader_epoch.fetch_add(1, std::memory_order_seq_cst) + 1;
        for (; stamped_ < retired_.size(); ++stamped_) retired_[stamped_].epoch = epoch;
    }
    void destroy_seen() {
        if (destroying_) return;  // a destructor that itself writes to a table
        stamp();
        std::uint64_t oldest = Readers::instance().oldest();
        std::size_t count = 0;
        while (count < stamped_ && retired_[count].epoch <= oldest) ++count;
        std::vector<Retired> due(retired_.begin(),
                                 retired_.begin() + static_cast<std::ptrdiff_t>(count));
        retired_.erase(retired_.begin(), retired_.begin() + static_cast<std::ptrdiff_t>(count));
        stamped_ -= count;
        next_look_ = retired_.size() + retired_batch;
        destroying_ = true;
        for (const Retired& r : due) r.destroy(r.object);
        destroying_ = false;
    }
    void adopt() {
        // Behind what is not stamped yet, so that epochs stay in order.
        stamp();
        Readers::instance().adopt(retired_);
    }

  private:
    Reader* reader_ = nullptr;
    std::vector<Retired> retired_;
    std::size_t stamped_ = 0;
    std::size_t next_look_ = retired_batch;
    bool destroying_ = false;
};

thread_local Limbo limbo;

/// Unregisters the thread when its shard's turn ends, or when the shard is gone before that.
class Leave {
  public:
    explicit Leave(Reader* reader) : reader_(reader) {}
    Leave(Leave&& other) noexcept
        : reader_(std::exchange(other.reader_, nullptr)), turn_ended_(other.turn_ended_) {}
    Leave& operator=(Leave&&) = delete;
    ~Leave() {
        if (!reader_ || this_reader != reader_) return;
        leave_readers(*reader_);
        // What nobody else can see goes now: a shard that sleeps keeps little.
        if (turn_ended_ && limbo.size() > 0) limbo.destroy_seen();
    }
    void operator()() { turn_ended_ = true; }

  private:
    Reader* reader_;
    bool turn_ended_ = false;
};

}  // namespace

void enter_readers() {
    Reader* reader = limbo.reader();
    if (reader->depth > 0) return;  // an outer operation still looks at what it found
    std::uint64_t epoch = reader_epoch.load(std::memory_order_acquire);
    if (reader->seen.load(std::memory_order_relaxed) != 0) {
        reader->seen.store(epoch, std::memory_order_release);
        return;
    }
    reader->seen.exchange(epoch, std::memory_order_seq_cst);
    Shard* shard = Shard::current();
    reader->leave_at_once = shard == nullptr;
    if (shard) shard->at_turn_end(Leave(reader));
}

void leave_readers(Reader& reader) {
    reader.seen.store(0, std::memory_order_release);
}

void retire(void* object, void (*destroy)(void*)) {
    limbo.push(object, destroy);
}

void reclaim_some() {
    if (!limbo.due()) return;
    Reader* reader = limbo.reader();
    if (reader->depth > 0) return;
    limbo.stamp();
    if (reader->seen.load(std::memory_order_relaxed) != 0) enter_readers();
    limbo.adopt();
    limbo.destroy_seen();
    if (limbo.size() < retired_limit) return;
    // A preempted or busy reader: give it the processor rather than pile up garbage behind it.
    auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    while (limbo.size() >= retired_limit && std::chrono::steady_clock::now() < give_up) {
        ::sched_yield();
        limbo.destroy_seen();
    }
}

void reclaim_all() {
    Reader* reader = limbo.reader();
    if (reader->depth > 0) return;
    limbo.stamp();
    if (reader->seen.load(std::memory_order_relaxed) != 0) enter_readers();
    limbo.adopt();
    limbo.destroy_seen();
}

std::size_t retired_count() {
    return limbo.size();
}

}  // namespace bennu::detail
