#include "bennu/runtime/simulation/shrink.hpp"

#include <chrono>

namespace bennu {

namespace {

/// All but the part from `begin` to `end`.
std::vector<SimFault> without(const std::vector<SimFault>& faults, std::size_t begin,
                              std::size_t end) {
    std::vector<SimFault> rest(faults.begin(), faults.begin() + static_cast<std::ptrdiff_t>(begin));
    rest.insert(rest.end(), faults.begin() + static_cast<std::ptrdiff_t>(end), faults.end());
    return rest;
}

}  // namespace

Shrunk shrink_faults(std::vector<SimFault> faults,
                     const std::function<bool(const std::vector<SimFault>&)>& fails,
                     ShrinkOptions options) {
    using Clock = std::chrono::steady_clock;
    const auto give_up = Clock::now() + options.time;
    Shrunk shrunk;
    auto may_run = [&] { return shrunk.runs < options.runs && Clock::now() < give_up; };
    auto try_without = [&](std::size_t begin, std::size_t end) {
        ++shrunk.runs;
        std::vector<SimFault> fewer = without(faults, begin, end);
        if (!fails(fewer)) return false;
        faults = std::move(fewer);
        return true;
    };

    // Parts are taken away, at first all, then halves, then ever smaller ones. A part that could be
    // taken away may make others needless that were tried before, so single faults are gone through
    // until none of them can go.
    std::size_t size = std::max<std::size_t>(faults.size(), 1);
    while (!faults.empty() && may_run()) {
        bool any = false;
        for (std::size_t end = faults.size(); end > 0 && may_run();) {
            std::size_t begin = end > size ? end - size : 0;
            any |= try_without(begin, end);
            end = begin;
        }
        if (size == 1 && !any) {
            // This sweep may have been cut short.
            shrunk.minimal = may_run();
            break;
        }
        if (size > 1) size = (size + 1) / 2;
    }
    shrunk.minimal |= faults.empty();
    shrunk.faults = std::move(faults);
    return shrunk;
}

}  // namespace bennu
