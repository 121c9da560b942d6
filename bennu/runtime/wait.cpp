#include "bennu/runtime/wait.hpp"

namespace bennu::detail {

std::uint32_t WaitTable::grow() {
    entries_.emplace_back();
    return static_cast<std::uint32_t>(entries_.size() - 1);
}

}  // namespace bennu::detail
