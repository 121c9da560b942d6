#include "bennu/web/session/session.hpp"

#include <array>

#include "bennu/base/bytes.hpp"
#include "bennu/base/random.hpp"

namespace bennu {

Session& Conn::session() const {
    return get<Session>();
}

detail::SessionData& Session::data() const {
    if (!data_) {
        if (open_) data_ = open_();
        existed_ = data_.has_value();
        if (!data_) data_.emplace().created = now_;
    }
    return *data_;
}

detail::SessionData& Session::change() {
    changed_ = true;
    dropped_ = false;
    return data();
}

const Json& Session::get(std::string_view key) const {
    return data().values[key];
}

void Session::put(std::string_view key, Json value) {
    change().values.set(key, std::move(value));
}

bool Session::erase(std::string_view key) {
    if (!data().values.contains(key)) return false;
    return change().values.erase(key);
}

void Session::clear() {
    change().values = Json::object();
}

void Session::renew() {
    detail::SessionData& data = change();
    data.created = now_;
    data.forgery.clear();
    data.id.clear();
    renewed_ = true;
}

void Session::drop() {
    data();
    data_.emplace().created = now_;
    changed_ = false;
    renewed_ = true;
    dropped_ = true;
}

const std::string& Session::id() {
    if (data().id.empty()) {
        std::array<std::byte, 16> bytes;
        secure_random(bytes);
        change().id = base64url_encode(as_text(bytes));
    }
    return data().id;
}

}  // namespace bennu
