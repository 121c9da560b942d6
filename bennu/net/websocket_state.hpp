#pragma once

#include <algorithm>

#include "bennu/net/rate_budget.hpp"
#include "bennu/net/websocket_connection.hpp"

namespace bennu::net {

/// What only the sources of the connection see.
struct WebSocketConnection::State {
    /// `draining`: both sides have said that they close, and what was sent before is on its way.
    enum class Phase : std::uint8_t { connecting, handshaking, open, closing, draining, closed };
    static constexpr std::uint32_t most_outbox = (1U << 28) - 1;
    static constexpr std::uint32_t most_slow = (1U << 24) - 1;

    explicit State(Start start)
        : stream(std::move(start.stream)),
          carrier(std::move(start.carrier)),
          handler(std::move(start.handler)),
          idle_milliseconds(milliseconds(start.options.idle_timeout)),
          control_rate(start.options.control_frames_per_second),
          control_burst(start.options.control_frame_burst),
          entry(
              std::move(start.table),
              [](Pid pid) { cast(Ref<WebSocketConnection>(pid), Overdue{}); }, start.seat),
          in(std::move(start.input)),
          decoder(start.role,
                  {.message = start.options.max_message, .fragments = start.options.max_fragments}),
          peer(std::move(start.peer)),
          max_outbox(std::min<std::size_t>(start.options.max_outbox, most_outbox) & most_outbox),
          client(start.role == WebSocketDecoder::Role::client),
          slow_outbox(std::min(start.options.slow_outbox, most_slow) & most_slow),
          phase(start.handshake_key.empty() ? Phase::open : Phase::connecting) {
        if (start.options.agreed) {
            deflate = std::make_unique<MessageDeflate>(*start.options.agreed, start.options.deflate,
                                                       start.options.max_message);
            decoder.allow_compressed();
        }
        if (client) {
            aside = std::make_unique<Aside>(Aside{.key = std::move(start.handshake_key),
                                                  .protocols = std::move(start.protocols),
                                                  .timeout = start.connect_timeout});
        }
    }

    /// What few sockets have: clients until they are open, whoever takes less than is sent, and
    /// whoever sends pings or pongs.
    struct Aside {
        std::string key = {};
        std::vector<std::string> protocols = {};
        Duration timeout = {};
        std::size_t largest = 0;  ///< of the messages that wait
        std::size_t behind = 0;   ///< what was sent after that one
        RateBudget control = {};  ///< of the pings and pongs
    };

    /// At most the 49 days that 32 bits hold.
    static std::uint32_t milliseconds(Duration time) {
        const std::int64_t count = std::chrono::ceil<std::chrono::milliseconds>(time).count();
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, UINT32_MAX));
    }
    Duration idle_timeout() const { return std::chrono::milliseconds(idle_milliseconds); }

    /// What was sent and not taken yet, wherever it lies.
    std::size_t unsent() const { return stream.pending() + (carrier ? carrier->unsent() : 0); }
    /// What waits for the client beside the message that it is getting: all but the largest. So a
    /// message of any size may go to a client that reads. (Only one that takes what is unsent over
    /// a bound can be the largest; up to there nothing is counted.)
    std::size_t waiting() const {
        const std::size_t all = unsent();
        if (!aside || all <= aside->behind) return all;
        return all - std::min(all - aside->behind, aside->largest);
    }
    std::size_t lowest_bound() const {
        return slow_outbox > 0 ? std::min<std::size_t>(slow_outbox, max_outbox) : max_outbox;
    }
    /// A message of so many bytes was put to what is unsent.
    void count(std::size_t bytes) {
        const std::size_t all = unsent();
        if (all <= lowest_bound()) return;
        if (!aside) aside = std::make_unique<Aside>();
        const std::size_t before = all - bytes;
        const std::size_t ahead = before > aside->behind ? before - aside->behind : 0;
        if (bytes >= std::min(ahead, aside->largest)) {
            aside->largest = bytes;
            aside->behind = 0;
        } else {
            aside->behind += bytes;
        }
    }

    /// Whether one more ping or pong may come now.
    bool may_control() {
        if (control_rate == 0) return true;
        if (!aside) aside = std::make_unique<Aside>();
        return aside->control.spend({.per_second = control_rate, .burst = control_burst}, now());
    }

    TcpStream stream;                           ///< with a carrier: only gathers what is sent
    std::unique_ptr<WebSocketCarrier> carrier;  ///< null: the stream has a socket
    std::unique_ptr<WebSocketHandler> handler;
    std::uint32_t idle_milliseconds;
    std::uint16_t control_rate;
    std::uint16_t control_burst;
    std::unique_ptr<MessageDeflate> deflate;
    ConnectionTable::Entry entry;
    std::string in;
    WebSocketDecoder decoder;
    SocketAddress peer;
    std::unique_ptr<Aside> aside;
    // Eight bytes for all of these.
    std::uint32_t max_outbox : 28;
    bool client : 1;
    bool slow : 1 = false;
    bool listed : 1 = false;  ///< stands in Outgoing
    bool told : 1 = false;    ///< on_close was called
    std::uint32_t slow_outbox : 24;
    Phase phase : 6;
    bool given_up : 1 = false;    ///< too much waits: nothing more is sent
    bool tell_taken : 1 = false;  ///< `on_drained` is wanted
};

}  // namespace bennu::net
