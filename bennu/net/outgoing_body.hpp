#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "bennu/base/shared.hpp"
#include "bennu/base/time.hpp"

namespace bennu::net {

/// The body of an answer on its way out: text that is appended piece by piece, or shared text as a
/// whole.
struct OutgoingBody {
    std::string text;
    Shared<std::string> shared;
    std::size_t at = 0;  ///< so much of it was taken
    bool ended = false;  ///< nothing will be appended any more
    bool waits = false;  ///< whoever takes it found nothing
    Instant moved;       ///< when something was taken last, or the first look at what waits

    std::string_view rest() const {
        return (shared ? std::string_view(*shared) : std::string_view(text)).substr(at);
    }
    void append(std::string more) {
        if (rest().empty()) moved = {};
        if (text.empty()) {
            text = std::move(more);
        } else {
            text.erase(0, std::exchange(at, 0));
            text.append(more);
        }
    }
    void took(std::size_t count, Instant now) {
        at += count;
        moved = now;
        if (!rest().empty()) return;
        shared = {};
        std::string().swap(text);
        at = 0;
    }
    bool stalls(Instant now, Duration patience) {
        if (rest().empty()) return false;
        if (moved == Instant()) moved = now;
        return now - moved >= patience;
    }
};

}  // namespace bennu::net
