#include "bennu/web/caching.hpp"

#include <stdexcept>

namespace bennu {

namespace {

std::string seconds(Duration time) {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(time).count());
}

void check(const CacheControl& options) {
    using Keeper = CacheControl::Keeper;
    const Duration shared = options.shared_max_age.value_or(Duration::zero());
    const Duration none = Duration::zero();
    if (options.max_age < none || shared < none || options.stale_while_revalidate < none) {
        throw std::invalid_argument("a cache cannot keep a response for less than no time");
    }
    if (options.shared_max_age && options.keeper != Keeper::everybody) {
        throw std::invalid_argument("proxies keep only what everybody may keep");
    }
    const bool timed = options.max_age > none || options.stale_while_revalidate > none;
    if (options.keeper == Keeper::nobody && (timed || options.immutable)) {
        throw std::invalid_argument("what nobody keeps has no time to be kept");
    }
}

}  // namespace

std::string cache_control(const CacheControl& options) {
    using Keeper = CacheControl::Keeper;
    check(options);
    if (options.keeper == Keeper::nobody) return "no-store";
    std::string text = options.keeper == Keeper::everybody ? "public" : "private";
    text += options.max_age > Duration::zero() ? ", max-age=" + seconds(options.max_age)
                                               : std::string(", no-cache");
    if (options.shared_max_age) text += ", s-maxage=" + seconds(*options.shared_max_age);
    if (options.stale_while_revalidate > Duration::zero()) {
        text += ", stale-while-revalidate=" + seconds(options.stale_while_revalidate);
    }
    if (options.immutable) text += ", immutable";
    return text;
}

}  // namespace bennu
