#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/function.hpp"
#include "bennu/base/record_json.hpp"
#include "bennu/web/conn.hpp"
#include "bennu/web/session/session_data.hpp"

namespace bennu {

/// What the site remembers about one browser from request to request: `conn.session()`. Read on
/// first use; written back, with the response, only when it changed. Of two requests at once that
/// both change it, the later one wins whole.
class Session {
  public:
    /// Null when there is none.
    const Json& get(std::string_view key) const;
    /// All of them, an object.
    const Json& values() const { return data().values; }
    /// As a T: a record, or any scalar that a record may hold. Nothing when it is absent, or
    /// something else.
    template <typename T>
    std::optional<T> get(std::string_view key) const {
        T value{};
        std::vector<FieldError> errors;
        const Json* found = data().values.find(key);
        if (!found || !read_field(&value, ops_of<T>, *found, {}, key, errors)) return std::nullopt;
        return value;
    }
    void put(std::string_view key, Json value);
    template <Record T>
    void put(std::string_view key, const T& record) {
        put(key, to_json_value(record));
    }
    void put(std::string_view key, const Id& id) { put(key, to_json_value(&id, ops_of<Id>)); }
    /// False when there was none.
    bool erase(std::string_view key);
    /// Forgets every value; the session goes on.
    void clear();
    /// A new identity for the same values: call it at login and whenever rights change, so that
    /// nobody who knew the session of before has this one. Tokens of forms that were rendered
    /// before are refused.
    void renew();
    /// Ends it: the cookie goes, and so does what a store holds.
    void drop();

    /// A public name of this session until `renew` or `drop`, made on first use: to address what
    /// belongs to it (its sockets, its row in a list of devices). Worthless as a cookie.
    const std::string& id();
    Timestamp created() const { return data().created; }

  private:
    friend class Sessions;
    friend class SessionForgery;
    friend class SessionFlash;

    /// What its cookie or store held, opened on first use; nothing when that is void.
    using Open = Function<std::optional<detail::SessionData>()>;
    Session(Open open, Timestamp now) : open_(std::move(open)), now_(now) {}

    detail::SessionData& data() const;
    detail::SessionData& change();

    mutable Open open_;
    mutable std::optional<detail::SessionData> data_;
    mutable bool existed_ = false;  ///< the client came with a valid one
    Timestamp now_;
    bool changed_ = false;
    bool renewed_ = false;
    bool dropped_ = false;
    bool flash_shown_ = false;
    std::string stored_under_;  ///< the key in the store that it was read from
};

}  // namespace bennu
