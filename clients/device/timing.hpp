#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace bennu::device {

using Millis = std::chrono::milliseconds;
/// A moment: milliseconds since whatever the caller counts from, never going back.
using Time = Millis;

/// How long to wait before trying again: the first delays in turn, then the last one forever. Each
/// is made longer by up to `jitter` of itself, so that a thousand devices do not return at once.
struct Backoff {
    std::vector<Millis> delays;
    double jitter = 0.2;

    /// `random` is in [0, 1).
    Millis delay(std::size_t tries, double random) const {
        if (delays.empty()) return Millis(0);
        const Millis base = delays[tries < delays.size() ? tries : delays.size() - 1];
        return base + Millis(static_cast<Millis::rep>(static_cast<double>(base.count()) * jitter *
                                                      random));
    }
};

/// The earlier of two deadlines, of which each may be missing.
inline std::optional<Time> earlier(std::optional<Time> a, std::optional<Time> b) {
    if (!a || !b) return a ? a : b;
    return *a < *b ? a : b;
}

}  // namespace bennu::device
