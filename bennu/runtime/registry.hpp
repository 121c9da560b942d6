#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "bennu/runtime/pid.hpp"

namespace bennu::detail {

/// A name and who has it, in one allocation of just their size: names are kept by the million. The
/// process holds it until it ends, the registry finds it by its text.
struct RegisteredName {
    Pid pid;
    std::uint32_t length;

    std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), length}; }
};

/// The registered names of a runtime, for all its shards. A name goes away in the same step in
/// which its process does, so a look-up never finds a dead process of the caller's own shard.
class Registry {
  public:
    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// Null when another process has the name.
    RegisteredName* add(std::string_view name, Pid pid);
    /// Frees it.
    void remove(RegisteredName* name);
    Pid find(std::string_view name) const;

  private:
    struct Names;
    mutable std::mutex mutex_;
    std::unique_ptr<Names> names_;
};

}  // namespace bennu::detail
