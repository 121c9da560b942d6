#include "bennu/web/idempotency_store.hpp"

#include "bennu/runtime/context.hpp"

namespace bennu {

namespace {

/// What an entry costs beside its texts, about.
constexpr std::size_t entry_overhead = 400;

std::size_t size_of(const StoredAnswer& answer) {
    std::size_t size = answer.body.size();
    for (auto [name, value] : answer.headers) size += name.size() + value.size() + 16;
    return size;
}

}  // namespace

/// The entries of each scope by age, and which scope has waited longest; one mutex, held for a few
/// look-ups.
class MemoryIdempotency::Table {
  public:
    explicit Table(MemoryIdempotencyOptions options) : options_(options) {}

    Result<IdempotencyState> begin(IdempotencyKey&& key, std::string&& fingerprint,
                                   Duration running) {
        using Kind = IdempotencyState::Kind;
        std::lock_guard lock(mutex_);
        const Instant at = now();
        Scope& scope = scopes_[key.scope];
        if (auto found = scope.by_key.find(key.key); found != scope.by_key.end()) {
            Entry& entry = *found->second;
            if (at < entry.until) {
                if (entry.fingerprint != fingerprint) return IdempotencyState{Kind::other};
                if (!entry.answer) return IdempotencyState{Kind::running};
                return IdempotencyState{Kind::answered, 0, *entry.answer};
            }
            erase(found->second);
        }
        const std::size_t cost =
            entry_overhead + 2 * (key.key.size() + key.scope.size()) + fingerprint.size();
        if (!make_room(key.scope, 1, cost, at)) {
            drop_if_empty(key.scope);
            return Error(ErrorKind::overloaded, "idempotency_full",
                         "too many requests with an Idempotency-Key are under way");
        }
        Scope& home = scopes_[key.scope];
        entries_.push_back({key, std::move(fingerprint), at + running, ++claims_, cost, {}, {}});
        auto entry = std::prev(entries_.end());
        entry->place = home.entries.insert(home.entries.end(), entry);
        home.by_key[key.key] = entry;
        home.bytes += cost;
        bytes_ += cost;
        return IdempotencyState{Kind::claimed, claims_};
    }

    void finish(const IdempotencyKey& key, std::uint64_t claim, StoredAnswer&& answer,
                Duration ttl) {
        std::lock_guard lock(mutex_);
        auto entry = claimed(key, claim);
        if (entry == entries_.end()) return;
        const std::size_t cost = size_of(answer);
        entry->until = now() + ttl;  // or it might have to make room for itself
        if (!make_room(key.scope, 0, cost, now())) return drop(entry);
        entry->answer = std::make_unique<StoredAnswer>(std::move(answer));
        entry->cost += cost;
        scopes_[key.scope].bytes += cost;
        bytes_ += cost;
    }

    void abandon(const IdempotencyKey& key, std::uint64_t claim) {
        std::lock_guard lock(mutex_);
        if (auto entry = claimed(key, claim); entry != entries_.end()) drop(entry);
    }

    std::size_t keys() const {
        std::lock_guard lock(mutex_);
        return entries_.size();
    }
    std::size_t bytes() const {
        std::lock_guard lock(mutex_);
        return bytes_;
    }

  private:
    struct Entry;
    using Entries = std::list<Entry>;
    struct Entry {
        IdempotencyKey key;
        std::string fingerprint;
        Instant until;
        std::uint64_t claim = 0;
        std::size_t cost = 0;
        std::unique_ptr<StoredAnswer> answer;  ///< null while the request is under way
        std::list<Entries::iterator>::iterator place;
    };
    struct Scope {
        std::list<Entries::iterator> entries;  ///< by age
        std::unordered_map<std::string, Entries::iterator> by_key;
        std::size_t bytes = 0;
    };

    Entries::iterator claimed(const IdempotencyKey& key, std::uint64_t claim) {
        auto scope = scopes_.find(key.scope);
        if (scope == scopes_.end()) return entries_.end();
        auto found = scope->second.by_key.find(key.key);
        const bool mine = found != scope->second.by_key.end() && found->second->claim == claim &&
                          !found->second->answer;
        return mine ? found->second : entries_.end();
    }

    void erase(Entries::iterator entry) {
        auto scope = scopes_.find(entry->key.scope);
        scope->second.entries.erase(entry->place);
        scope->second.by_key.erase(entry->key.key);
        scope->second.bytes -= entry->cost;
        bytes_ -= entry->cost;
        entries_.erase(entry);
    }
    void drop(Entries::iterator entry) {
        const std::string owner = entry->key.scope;
        erase(entry);
        drop_if_empty(owner);
    }
    void drop_if_empty(const std::string& name) {
        auto scope = scopes_.find(name);
        if (scope != scopes_.end() && scope->second.entries.empty()) scopes_.erase(scope);
    }

    /// An entry that nobody needs, the oldest first; those whose request is under way are needed.
    template <typename Range>
    static auto oldest_free(Range& range, Instant at) {
        auto entry_of = [](auto& item) -> Entry& {
            if constexpr (std::is_same_v<Range, Entries>) {
                return item;
            } else {
                return *item;
            }
        };
        auto each = range.begin();
        while (each != range.end() && !entry_of(*each).answer && at < entry_of(*each).until) ++each;
        return each;
    }

    bool make_room(const std::string& name, std::size_t keys, std::size_t cost, Instant at) {
        auto over = [&](std::size_t count, std::size_t bytes, std::size_t most, std::size_t size) {
            return count + keys > most || bytes + cost > size;
        };
        if (cost > std::min(options_.bytes, options_.bytes_per_scope)) return false;
        Scope& scope = scopes_[name];
        while (over(scope.entries.size(), scope.bytes, options_.keys_per_scope,
                    options_.bytes_per_scope)) {
            auto victim = oldest_free(scope.entries, at);
            if (victim == scope.entries.end()) return false;
            erase(*victim);
        }
        while (over(entries_.size(), bytes_, options_.keys, options_.bytes)) {
            auto victim = oldest_free(entries_, at);
            if (victim == entries_.end()) return false;
            const std::string owner = victim->key.scope;
            erase(victim);
            if (owner != name) drop_if_empty(owner);
        }
        // What has expired goes whenever somebody comes, a few at a time.
        for (int i = 0; i < 4 && !entries_.empty() && entries_.front().until <= at; ++i) {
            const std::string owner = entries_.front().key.scope;
            erase(entries_.begin());
            if (owner != name) drop_if_empty(owner);
        }
        return true;
    }

    MemoryIdempotencyOptions options_;
    mutable std::mutex mutex_;
    Entries entries_;  ///< by age
    std::unordered_map<std::string, Scope> scopes_;
    std::size_t bytes_ = 0;
    std::uint64_t claims_ = 0;
};

MemoryIdempotency::MemoryIdempotency(MemoryIdempotencyOptions options)
    : table_(std::make_unique<Table>(options)) {}
MemoryIdempotency::~MemoryIdempotency() = default;

Task<Result<IdempotencyState>> MemoryIdempotency::begin(IdempotencyKey key, std::string fingerprint,
                                                        Duration running) {
    co_return table_->begin(std::move(key), std::move(fingerprint), running);
}

Task<Result<>> MemoryIdempotency::finish(IdempotencyKey key, std::uint64_t claim,
                                         StoredAnswer answer, Duration ttl) {
    table_->finish(key, claim, std::move(answer), ttl);
    co_return {};
}

void MemoryIdempotency::abandon(const IdempotencyKey& key, std::uint64_t claim) {
    table_->abandon(key, claim);
}

std::size_t MemoryIdempotency::keys() const {
    return table_->keys();
}
std::size_t MemoryIdempotency::bytes() const {
    return table_->bytes();
}

}  // namespace bennu
