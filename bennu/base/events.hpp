#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "bennu/base/attribute.hpp"
#include "bennu/base/function.hpp"

namespace bennu {

struct EventTable;
class EventName;

namespace detail {
/// Counts who came to listen and who went.
extern constinit std::atomic<std::uint64_t> event_listeners_version;
void emit_to_listeners(EventName& event, Attributes measurements, Attributes metadata);
}  // namespace detail

/// Something that areas announce and telemetry listens to, declared once as a global:
/// `inline constinit EventName request_stop{"http.request.stop"};`. The address is the identity.
class EventName {
  public:
    consteval explicit EventName(const char* name) : name_(name) {}
    EventName(const EventName&) = delete;
    EventName& operator=(const EventName&) = delete;

    std::string_view name() const { return name_; }
    /// Whether somebody may listen: `emit` then does more than two loads, and what is costly to put
    /// together is worth it.
    bool heard() const {
        return version_.load(std::memory_order_acquire) !=
                   detail::event_listeners_version.load(std::memory_order_acquire) ||
               table_.load(std::memory_order_acquire);
    }

  private:
    friend void detail::emit_to_listeners(EventName&, Attributes, Attributes);
    friend EventTable* refresh_event(EventName&);
    std::string_view name_;
    std::atomic<std::uint64_t> version_{0};
    std::atomic<EventTable*> table_{nullptr};
};

/// Announces an event on the caller's thread. Two loads when nobody listens. Measurements are
/// numbers (durations, sizes, counts); metadata says what they belong to. What a subscriber throws
/// is logged and goes no further.
inline void emit(EventName& event, Attributes measurements = {}, Attributes metadata = {}) {
    if (event.heard()) detail::emit_to_listeners(event, measurements, metadata);
}

struct EventView {
    std::string_view name;
    std::span<const Attribute> measurements;
    std::span<const Attribute> metadata;
};

/// Ends the subscription when destroyed; afterwards its handler neither runs nor is running on
/// another thread.
class Subscription {
  public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    Subscription& operator=(Subscription&& other) noexcept {
        std::swap(entry_, other.entry_);
        return *this;
    }
    ~Subscription();

  private:
    friend Subscription subscribe_events(std::string_view, Function<void(const EventView&) const>);
    void* entry_ = nullptr;
};

/// Listens to one event (`http.request.stop`) or a family (`http.*`, `*`). The handler runs on the
/// emitting thread, must be quick and safe to call from several threads at once.
[[nodiscard]] Subscription subscribe_events(std::string_view pattern,
                                            Function<void(const EventView&) const> handler);

}  // namespace bennu
