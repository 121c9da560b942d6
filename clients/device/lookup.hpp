#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bennu::device {

/// An address as connect() takes it.
struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
};
/// Without addresses, `problem` says why.
struct Found {
    std::vector<Address> addresses{};
    std::string problem{};
};

/// Finds the addresses of a host, however long that takes. It runs on a thread of its own, and may
/// still do so when the client is gone: it must hold whatever it refers to.
using Resolve = std::function<Found(const std::string& host, std::uint16_t port)>;
/// As the system does it (files, DNS).
Found resolve_with_system(const std::string& host, std::uint16_t port);

/// Looks a host up without waiting for the answer. Addresses need none; a name is looked up on a
/// thread of its own, which holds nothing of the client's: nobody ever waits for it to end. While
/// one runs there is no second: whoever asks again gets the answer of the first.
class Lookup {
  public:
    /// Empty: `resolve_with_system`.
    explicit Lookup(Resolve resolve = {});

    /// Of one host and port, the same in each call.
    void begin(const std::string& host, std::uint16_t port);
    /// The answer, once; nothing as long as there is none.
    std::optional<Found> take();
    /// For poll(): readable once there is an answer; -1 before the first `begin`.
    int descriptor() const;

  private:
    struct Pending;
    Resolve resolve_;
    std::shared_ptr<Pending> pending_;
};

}  // namespace bennu::device
