#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/secret.hpp"
#include "bennu/base/time.hpp"

namespace bennu::net {

/// The keys of session tickets. Each is good for one period of the clock and follows from secret
/// and period alone, so that all processes with one secret have the same. Any thread.
class TicketKeys {
  public:
    struct Key {
        std::string name;    ///< 16 bytes
        std::string cipher;  ///< 32 bytes
        std::string mac;     ///< 32 bytes
    };
    struct Found {
        Key key;
        bool current = false;
    };

    /// An empty secret stands for a random one.
    TicketKeys(const Secret& secret, Duration rotation);

    Key current() { return key(period()); }
    /// The key with this name, of this period, the past one or (clocks differ) the next.
    std::optional<Found> find(std::string_view name);

  private:
    std::int64_t period() const;
    Key key(std::int64_t period);

    std::mutex mutex_;
    std::int64_t rotation_ms_;
    Secret secret_;
    std::map<std::int64_t, Key> keys_;
};

}  // namespace bennu::net
