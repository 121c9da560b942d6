#pragma once

#include <atomic>
#include <memory>

#include "bennu/web/router.hpp"

namespace bennu {

/// Whether this node wants traffic. Set from any thread: true once everything has started, false
/// when draining begins.
class ReadyFlag {
  public:
    void set(bool ready) { ready_.store(ready, std::memory_order_release); }
    bool get() const { return ready_.load(std::memory_order_acquire); }

  private:
    std::atomic<bool> ready_{false};
};

/// `/livez` (also `/healthz`) answers 200 as long as the process serves requests; `/readyz` 200, or
/// 503 while the node starts or drains. They are answered even when
/// other requests are turned away, and write no access log lines.
void health_routes(RouteScope& scope, std::shared_ptr<const ReadyFlag> ready);

}  // namespace bennu
