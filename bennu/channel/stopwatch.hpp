#pragma once

#include "bennu/runtime/context.hpp"

namespace bennu::phoenix {

/// How long something took, for telemetry, by the shard's clock: that costs nothing to read, and
/// stands still while one piece of code runs.
class Stopwatch {
  public:
    /// Tests also ask without a runtime, and what is destroyed with a shard has none any more.
    Duration elapsed() const { return on_shard() ? now() - began_ : Duration::zero(); }

  private:
    Instant began_ = on_shard() ? now() : Instant();
};

}  // namespace bennu::phoenix
