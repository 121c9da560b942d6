#include "bennu/base/events.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bennu/base/log.hpp"

namespace bennu {

constinit std::atomic<std::uint64_t> detail::event_listeners_version{0};

namespace {

using detail::event_listeners_version;

struct Entry {
    std::string pattern;
    Function<void(const EventView&) const> handler;
    std::atomic<bool> live{true};
    std::atomic<int> running{0};

    bool matches(std::string_view name) const {
        const std::string_view p = pattern;
        if (p == "*") return true;
        if (p.ends_with(".*")) return name.starts_with(p.substr(0, p.size() - 1));
        return name == p;
    }
};

/// The handlers that this thread is in the middle of, innermost first.
struct Frame {
    const Entry* entry;
    const Frame* outer;
};
thread_local const Frame* frames = nullptr;

}  // namespace

/// Who listens to one event: immutable once published.
struct EventTable {
    std::vector<Entry*> entries;
};

namespace {

/// Readers take no lock: they follow pointers to tables and entries that are never freed.
/// Subscribing is rare, so that what is left behind is small.
struct Registry {
    std::mutex mutex;
    std::vector<std::unique_ptr<Entry>> entries;
    std::vector<std::unique_ptr<EventTable>> tables;
};
Registry& registry() {
    static auto* const instance = new Registry;  // events are emitted until the very end
    return *instance;
}

void run(Entry& entry, const EventView& event) {
    entry.running.fetch_add(1);
    const Frame frame{&entry, frames};
    frames = &frame;
    if (entry.live.load()) {
        try {
            entry.handler(event);
        } catch (const std::exception& fault) {
            log_error("an event subscriber failed",
                      {{"event", event.name}, {"fault", fault.what()}});
        } catch (...) {
            log_error("an event subscriber failed", {{"event", event.name}});
        }
    }
    frames = frame.outer;
    entry.running.fetch_sub(1);
}

}  // namespace

EventTable* refresh_event(EventName& event) {
    Registry& state = registry();
    const std::lock_guard lock(state.mutex);
    auto table = std::make_unique<EventTable>();
    for (const auto& entry : state.entries) {
        if (entry->live && entry->matches(event.name_)) table->entries.push_back(entry.get());
    }
    EventTable* published = nullptr;
    if (!table->entries.empty()) {
        published = table.get();
        state.tables.push_back(std::move(table));
    }
    event.table_.store(published, std::memory_order_release);
    event.version_.store(event_listeners_version.load(), std::memory_order_release);
    return published;
}

void detail::emit_to_listeners(EventName& event, Attributes measurements, Attributes metadata) {
    const std::uint64_t version = event_listeners_version.load(std::memory_order_acquire);
    EventTable* table = event.version_.load(std::memory_order_acquire) == version
                            ? event.table_.load(std::memory_order_acquire)
                            : refresh_event(event);
    if (!table) return;
    const EventView view{event.name_, std::span(measurements.begin(), measurements.size()),
                         std::span(metadata.begin(), metadata.size())};
    for (Entry* entry : table->entries) run(*entry, view);
}

Subscription subscribe_events(std::string_view pattern,
                              Function<void(const EventView&) const> handler) {
    Registry& state = registry();
    const std::lock_guard lock(state.mutex);
    auto entry = std::make_unique<Entry>();
    entry->pattern = pattern;
    entry->handler = std::move(handler);
    Subscription subscription;
    subscription.entry_ = entry.get();
    state.entries.push_back(std::move(entry));
    event_listeners_version.fetch_add(1, std::memory_order_release);
    return subscription;
}

Subscription::~Subscription() {
    if (!entry_) return;
    auto& entry = *static_cast<Entry*>(entry_);
    {
        const std::lock_guard lock(registry().mutex);
        entry.live.store(false);
        event_listeners_version.fetch_add(1, std::memory_order_release);
    }
    int own = 0;
    for (const Frame* frame = frames; frame; frame = frame->outer) own += frame->entry == &entry;
    while (entry.running.load() > own) std::this_thread::yield();
    if (own == 0)
        entry.handler = nullptr;  // a handler that ends its own subscription stays until exit
}

}  // namespace bennu
