#include "bennu/runtime/registry.hpp"

namespace bennu::detail {

bool Registry::add(const std::string& name, Pid pid) {
    std::lock_guard lock(mutex_);
    return names_.try_emplace(name, pid).second;
}

void Registry::remove(const std::string& name, Pid pid) {
    std::lock_guard lock(mutex_);
    auto found = names_.find(name);
    if (found != names_.end() && found->second == pid) names_.erase(found);
}

Pid Registry::find(const std::string& name) const {
    std::lock_guard lock(mutex_);
    auto found = names_.find(name);
    return found == names_.end() ? Pid() : found->second;
}

}  // namespace bennu::detail
