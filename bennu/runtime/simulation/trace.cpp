#include "bennu/runtime/simulation/trace.hpp"

namespace bennu {

std::uint64_t SimTrace::add(TraceEvent event) {
    if (events_.size() == limit_) {
        events_.pop_front();
        ++first_;
    }
    events_.push_back(std::move(event));
    return first_ + events_.size() - 1;
}

TraceEvent* SimTrace::find(std::uint64_t id) {
    if (id < first_ || id - first_ >= events_.size()) return nullptr;
    return &events_[id - first_];
}

}  // namespace bennu
