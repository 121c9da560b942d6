#pragma once

#include <optional>
#include <string>

#include "bennu/base/time.hpp"

namespace bennu {

/// Who may keep a response, and for how long.
struct CacheControl {
    enum class Keeper : unsigned char {
        nobody,     ///< not even the browser: what must not be found on a disk
        browser,    ///< the client alone
        everybody,  ///< proxies and CDNs too: nothing that depends on who asks
    };
    Keeper keeper = Keeper::browser;
    /// In whole seconds. Zero: kept, but asked for anew each time (see `if_unchanged`).
    Duration max_age = Duration::zero();
    /// How long proxies may keep it, where that differs.
    std::optional<Duration> shared_max_age = {};
    /// How long an old one may still be shown while a new one is fetched.
    Duration stale_while_revalidate = Duration::zero();
    /// Whatever has this URL never changes.
    bool immutable = false;
};

/// The value of a Cache-Control header: `private, no-cache` by default. A negative time, and a time
/// for a keeper who keeps nothing (or for proxies, where only the browser keeps it), are a fault.
std::string cache_control(const CacheControl& options);

}  // namespace bennu
