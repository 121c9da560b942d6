#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace bennu::net {

/// How many connections each client address has, over all shards of a server. IPv6 counts by /64,
/// since a client owns all of that. Any thread; touched when a connection begins and ends.
class AddressCounts {
  public:
    /// `limit` 0: nobody is counted. Loopback addresses and Unix sockets are proxies of our own and
    /// not counted, unless `loopback_too`.
    AddressCounts(std::uint32_t limit, bool loopback_too)
        : limit_(limit), loopback_too_(loopback_too) {}

    struct Entry {
        bool admitted = true;
        std::uint32_t slot = 0;  ///< to `leave` with; 0: not counted
    };
    Entry enter(const std::string& host);
    void leave(std::uint32_t slot);
    std::size_t addresses() const;

  private:
    using Key = std::array<unsigned char, 16>;
    struct Slot {
        Key key{};
        std::uint32_t count = 0;
    };

    std::uint32_t limit_;
    bool loopback_too_;
    mutable std::mutex mutex_;
    std::map<Key, std::uint32_t> slots_of_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
};

}  // namespace bennu::net
