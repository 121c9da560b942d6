#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/json.hpp"
#include "bennu/base/time.hpp"

namespace bennu::detail {

/// What a session is made of, as cookies and stores keep it. Private to this area.
struct SessionData {
    Timestamp created;             ///< the absolute time-out counts from here
    Timestamp seen;                ///< the idle time-out counts from here; both to the second
    Json values = Json::object();  ///< the app's
    Json flash = Json::object();   ///< messages for the next page
    std::string forgery;           ///< the secret of its forms; empty: none was rendered
    std::string id;                ///< a public name; empty: nobody asked for one

    bool empty() const;
    /// JSON text, with one-letter names, since a cookie has room for little.
    std::string encode() const;
    /// Nothing when the text is not what `encode` makes.
    static std::optional<SessionData> decode(std::string_view text);
};

}  // namespace bennu::detail
