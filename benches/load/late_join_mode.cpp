#include "benches/load/late_join_mode.hpp"

#include <stdexcept>

#include "benches/load/guests.hpp"
#include "benches/load/window.hpp"

namespace bench {
namespace {

constexpr Nanoseconds stall = 5'000'000'000;
constexpr double quiet = 0.12;  ///< seconds, more than twice as long as changes are gathered

std::string hall_frame(std::size_t join, std::string_view event) {
    return client_frame(Opcode::text,
                        fmt::format(R"(["h{0}","{1}{0}","hall","{1}",{{}}])", join, event));
}

/// What the one who comes late is told.
class Late : public Listener {
  public:
    void on_message(std::size_t, Meaning, Nanoseconds) override {}
    void on_other(std::size_t, std::string_view payload, Nanoseconds when) override {
        if (payload.find(R"("phx_reply")") < 200) ++replies;
        if (payload.substr(0, 200).find(R"("presence_state")") == payload.npos) return;
        at = when;
        bytes = payload.size();
        present = 0;
        for (std::size_t found = 0; (found = payload.find(R"("phx_ref")", found)) != payload.npos;
             ++found)
            ++present;
    }
    std::size_t replies = 0;
    std::size_t present = 0;
    std::size_t bytes = 0;
    Nanoseconds at = 0;  ///< when the state was there
};

/// Until it holds, or it takes too long.
template <typename Holds>
void wait(Swarm& one, Swarm& other, const char* what, Holds holds) {
    for (const Nanoseconds end = now() + stall; !holds();) {
        one.poll(1);
        other.poll(0);
        if (now() > end) throw std::runtime_error(fmt::format("{} took over 5 s", what));
    }
}

}  // namespace

std::string run_late_join(const Options& options, Swarm& swarm) {
    swarm.open(options.sockets);
    GuestReplies replies;
    swarm.listen(&replies);
    const auto dialect = make_dialect(options.dialect);
    Swarm door(options.swarm, *dialect);
    door.open(1);
    Late late;
    door.listen(&late);

    const std::size_t guests = options.sockets * guests_each;
    for (std::size_t guest = 0; guest < guests; ++guest) {
        wait(swarm, door, "a guest's join",
             [&] { return guest - replies.count < joins_under_way; });
        swarm.send(guest % options.sockets, guest_frame(guest, "phx_join"));
    }
    wait(swarm, door, "the guests' joins", [&] { return replies.count == guests; });

    Latencies latencies;
    double server_cpu = 0;
    for (std::size_t join = 0; join < options.messages; ++join) {
        const std::size_t answered = replies.count + 2;
        swarm.send(join % options.sockets, guest_frame(join, "phx_leave"));
        swarm.send(join % options.sockets, guest_frame(guests + join, "phx_join"));
        wait(swarm, door, "a change", [&] { return replies.count >= answered; });
        swarm.poll_for(quiet);

        late.at = 0;
        const double before = cpu_seconds(options.server_pid);
        const Nanoseconds began = now();
        door.send(0, hall_frame(join, "phx_join"));
        wait(door, swarm, "a late join", [&] { return late.at != 0; });
        server_cpu += cpu_seconds(options.server_pid) - before;
        latencies.add(late.at - began);
        if (late.present != guests)
            throw std::runtime_error(
                fmt::format("a state with {} of {} guests", late.present, guests));

        const std::size_t left = late.replies + 1;
        door.send(0, hall_frame(join, "phx_leave"));
        wait(door, swarm, "leaving", [&] { return late.replies >= left; });
    }
    const auto joins = static_cast<double>(options.messages);
    return fmt::format(
        R"({{"mode":"channels-late-join","tracked":{},"joins":{},"state_bytes":{},"p50_us":{:.1f},)"
        R"("p99_us":{:.1f},"max_us":{:.1f},"server_cpu_us_each":{:.1f}}})",
        guests, options.messages, late.bytes, latencies.percentile(0.5), latencies.percentile(0.99),
        latencies.percentile(1), server_cpu * 1e6 / joins);
}

}  // namespace bench
