#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "benches/load/frame.hpp"
#include "benches/load/swarm.hpp"

namespace bench {

/// The guests of the bench server's hall, several on each socket: `guest:N` is a channel whose end
/// and beginning are those of the presence of `gN`.
inline constexpr std::size_t guests_each = 10;
inline constexpr std::size_t joins_under_way = 500;

inline std::string guest_frame(std::size_t guest, std::string_view event) {
    return client_frame(Opcode::text,
                        fmt::format(R"(["g{0}","{1}{0}","guest:{0}","{1}",{{}}])", guest, event));
}

/// Counts what is answered.
class GuestReplies : public Listener {
  public:
    void on_message(std::size_t, Meaning, Nanoseconds) override {}
    void on_other(std::size_t, std::string_view payload, Nanoseconds) override {
        if (payload.find(R"("phx_reply")") != payload.npos) ++count;
    }
    std::size_t count = 0;
};

}  // namespace bench
