#include "bennu/runtime/interval.hpp"

namespace bennu {

/// One `send_interval`: its times, and the timer that is armed for the next of them.
class IntervalTimer {
  public:
    IntervalTimer(Duration period, Function<bool()> send)
        : times_(period), send_(std::move(send)) {}

    void arm(std::uint64_t id);
    void cancel() { detail::Shard::current()->timers().cancel(armed_); }
    bool send() { return send_(); }

  private:
    interval times_;
    Function<bool()> send_;
    detail::TimerKey armed_;
};

namespace {

struct IntervalTimers {
    std::uint64_t last_id = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<IntervalTimer>> running;
};

/// What the timer wheel delivers to the shard itself.
struct Elapsed {
    std::uint64_t id;

    static void run(detail::Shard&, detail::Process*, void* payload, detail::ReplyTo, Instant) {
        std::uint64_t id = detail::Boxed<Elapsed>::get(payload).id;
        auto& running = shard_local<IntervalTimers>().running;
        auto found = running.find(id);
        if (found == running.end()) return;
        if (found->second->send()) {
            found->second->arm(id);
        } else {
            running.erase(found);
        }
    }
    static constexpr detail::MessageType type_of() {
        detail::MessageType type{};
        type.run = &run;
        type.destroy = &detail::Boxed<Elapsed>::destroy;
        type.move = &detail::Boxed<Elapsed>::move;
        type.size = sizeof(std::uint64_t);
        type.system = true;
        type.name = "interval";
        return type;
    }
};
constexpr detail::MessageType elapsed_type = Elapsed::type_of();

}  // namespace

void IntervalTimer::arm(std::uint64_t id) {
    times_.advance();
    detail::Envelope envelope;
    envelope.type = &elapsed_type;
    envelope.to = Pid(shard_index(), 0, 0);
    detail::Boxed<Elapsed>::make(envelope.payload, Elapsed{id});
    armed_ = detail::Shard::current()->timers().arm_message(times_.next_, std::move(envelope));
}

detail::SendInterval detail::start_interval(Duration period, Function<bool()> send) {
    auto& timers = shard_local<IntervalTimers>();
    std::uint64_t id = ++timers.last_id;
    auto& timer = timers.running[id];
    timer = std::make_unique<IntervalTimer>(period, std::move(send));
    timer->arm(id);
    return {id};
}

bool cancel_interval(IntervalId id) {
    auto& running = shard_local<IntervalTimers>().running;
    auto found = running.find(id.id);
    if (found == running.end()) return false;
    found->second->cancel();
    running.erase(found);
    return true;
}

}  // namespace bennu
