#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "bennu/runtime/pid.hpp"

namespace bennu::detail {

/// The registered names of a runtime, for all its shards. A name goes away in the same step in
/// which its process does, so a look-up never finds a dead process of the caller's own shard.
class Registry {
  public:
    /// False when another process has the name.
    bool add(const std::string& name, Pid pid);
    void remove(const std::string& name, Pid pid);
    Pid find(const std::string& name) const;

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Pid> names_;
};

}  // namespace bennu::detail
