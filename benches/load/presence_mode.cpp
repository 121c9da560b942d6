#include "benches/load/presence_mode.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <vector>

#include "benches/load/guests.hpp"
#include "benches/load/window.hpp"

namespace bench {
namespace {

constexpr Nanoseconds stall = 5'000'000'000;

/// Calls `use` with the number of each guest that is a key in this part of a diff.
template <typename F>
void each_guest(std::string_view part, F&& use) {
    for (std::size_t at = 0; (at = part.find(R"("g)", at)) != part.npos;) {
        std::size_t guest = 0;
        const char* digits = part.data() + at + 2;
        const auto [end, error] = std::from_chars(digits, part.data() + part.size(), guest);
        at = static_cast<std::size_t>(end - part.data());
        if (error == std::errc{} && part.substr(at).starts_with(R"(":{)")) use(guest);
        at += at < part.size() && error != std::errc{} ? 1 : 0;
    }
}

/// What the watchers of the hall are told.
class Watch : public Listener {
  public:
    explicit Watch(std::size_t watchers) : heard_(watchers) {}

    /// That many guests exist from now on; a guest comes once and goes once.
    void expect(std::size_t guests) {
        came_.resize(guests);
        went_.resize(guests);
        for (auto& heard : heard_) heard.resize(guests);
    }
    void came(std::size_t guest, Nanoseconds due) { came_[guest] = due; }
    void went(std::size_t guest, Nanoseconds due) { went_[guest] = due; }

    void on_message(std::size_t, Meaning, Nanoseconds) override {}
    void on_other(std::size_t watcher, std::string_view payload, Nanoseconds at) override {
        if (payload.find(R"("presence_diff")") == payload.npos) return;
        const auto leaves = payload.find(R"("leaves":{)");
        const auto joins = payload.find(R"("joins":{)");
        if (leaves == payload.npos || joins == payload.npos || joins > leaves)
            throw std::runtime_error("a presence_diff that is none");
        auto& heard = heard_[watcher];
        each_guest(payload.substr(joins, leaves - joins), [&](std::size_t guest) {
            hear(heard.at(guest), 0, 1);
            add(at, came_[guest]);
        });
        each_guest(payload.substr(leaves), [&](std::size_t guest) {
            hear(heard.at(guest), 1, 2);
            add(at, went_[guest]);
        });
    }

    std::size_t told = 0;
    Latencies latencies;

  private:
    static void hear(std::uint8_t& state, std::uint8_t from, std::uint8_t to) {
        if (state != from) throw std::runtime_error("a watcher was told twice, or in no order");
        state = to;
    }
    void add(Nanoseconds at, Nanoseconds due) {
        ++told;
        latencies.add(at - due);
    }

    std::vector<Nanoseconds> came_;
    std::vector<Nanoseconds> went_;
    std::vector<std::vector<std::uint8_t>> heard_;  ///< 0: of nothing, 1: came, 2: went
};

}  // namespace

std::string run_presence(const Options& options, Swarm& swarm) {
    DialectOptions hall = options.dialect;
    hall.topic = "hall";
    const auto watching = make_dialect(hall);
    Swarm watchers(options.swarm, *watching);
    watchers.open(options.watchers);
    Watch watch(options.watchers);
    watchers.listen(&watch);
    swarm.open(options.sockets);
    GuestReplies replies;
    swarm.listen(&replies);

    const std::size_t guests = options.sockets * guests_each;
    const auto changes = static_cast<std::size_t>(options.seconds * options.changes);
    watch.expect(guests + changes);
    const auto sends = [&](std::size_t guest, std::string_view event) {
        swarm.send(guest % options.sockets, guest_frame(guest, event));
    };
    const auto listen = [&](std::size_t told, const char* what) {
        std::size_t last = watch.told;
        for (Nanoseconds since = now(); watch.told < told;) {
            swarm.poll(0);
            watchers.poll(1);
            if (watch.told != last) {
                last = watch.told;
                since = now();
            }
            if (now() - since > stall)
                throw std::runtime_error(
                    fmt::format("{}: the watchers were told {} of {} times", what, last, told));
        }
    };

    for (std::size_t guest = 0; guest < guests; ++guest) {
        while (guest - replies.count >= joins_under_way) {
            swarm.poll(1);
            watchers.poll(0);
        }
        watch.came(guest, now());
        sends(guest, "phx_join");
    }
    listen(guests * options.watchers, "while the guests came");

    watch.latencies.clear();
    Window window(options.server_pid);
    const Nanoseconds began = now();
    for (std::size_t change = 0; change < changes;) {
        const auto due =
            began + static_cast<Nanoseconds>(static_cast<double>(change) * 1e9 / options.changes);
        if (now() >= due) {
            watch.went(change, due);
            watch.came(guests + change, due);
            sends(change, "phx_leave");
            sends(guests + change, "phx_join");
            ++change;
            continue;
        }
        swarm.poll(0);
        watchers.poll(1);
    }
    listen((guests + 2 * changes) * options.watchers, "while guests came and went");
    window.close();
    return fmt::format(
        R"({{"mode":"channels-presence","tracked":{},"watchers":{},"changes":{},"seconds":{:.3f},)"
        R"("p50_us":{:.1f},"p99_us":{:.1f},"max_us":{:.1f},"server_cpu_per_second":{:.3f},)"
        R"("server_cpu_us_each":{:.2f},"generator_cpu_s":{:.2f},"limit":"{}"}})",
        guests, options.watchers, 2 * changes, window.seconds, watch.latencies.percentile(0.5),
        watch.latencies.percentile(0.99), watch.latencies.percentile(1),
        window.server_cpu / window.seconds,
        window.server_cpu * 1e6 / static_cast<double>(2 * changes), window.own_cpu,
        window.generator_is_limit() ? "generator" : "server");
}

}  // namespace bench
