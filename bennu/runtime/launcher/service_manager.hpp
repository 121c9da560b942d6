#pragma once

#include <string>
#include <string_view>

#include "bennu/base/time.hpp"

namespace bennu {

/// The service manager that started this program, told by datagrams how it is doing (systemd's
/// `sd_notify` protocol). Without one (NOTIFY_SOCKET is not set) nothing is said.
class ServiceManager {
  public:
    ServiceManager();

    void ready(std::string_view status);
    void status(std::string_view status);
    /// What follows is an upgrade; `ready` ends it.
    void reloading(Instant now);
    void stopping();
    /// To be said at least every `alive_every`, or the manager restarts the service.
    void alive();
    /// Zero: the manager does not expect it.
    Duration alive_every() const { return alive_every_; }

    /// What a node must not inherit: it does not speak for the service.
    static void forget();

  private:
    void send(const std::string& message) const;

    std::string address_;
    Duration alive_every_{};
};

}  // namespace bennu
