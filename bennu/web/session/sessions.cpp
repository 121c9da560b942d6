#include "bennu/web/session/sessions.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/base/random.hpp"

namespace bennu {

namespace {

constexpr std::size_t cookie_limit = 4096;  // what every browser takes, name and value
constexpr std::size_t token_size = 43;      // of 32 bytes in base64url

std::string new_token() {
    std::array<std::byte, 32> bytes;
    secure_random(bytes);
    return base64url_encode(as_text(bytes));
}

std::string key_of(std::string_view token) {
    return base64url_encode(as_text(sha256(token)));
}

bool is_redirect(int status) {
    return status >= 300 && status <= 308 && status != 304;
}

}  // namespace

Sessions::Sessions(SessionOptions options) : options_(std::move(options)) {
    if (options_.idle <= Duration::zero() || options_.absolute <= Duration::zero()) {
        throw std::invalid_argument("a session needs time to live");
    }
}

Result<> Sessions::start(const EndpointOptions& endpoint) {
    Result<KeyRing> keys = endpoint_keys(endpoint, "bennu session cookie");
    if (!keys) return std::move(keys).error();
    keys_ = std::make_shared<const KeyRing>(*std::move(keys));
    production_ = endpoint.environment == Environment::prod;
    return {};
}

bool Sessions::secure(const Conn& conn) const {
    if (options_.secure != SecureCookie::automatic) return options_.secure == SecureCookie::always;
    return production_ || conn.scheme() == Scheme::https;
}

std::string Sessions::cookie_name(const Conn& conn) const {
    return secure(conn) ? "__Host-" + options_.cookie : options_.cookie;
}

Duration Sessions::life(const detail::SessionData& data, Timestamp now) const {
    return std::min(options_.idle - (now - data.seen), options_.absolute - (now - data.created));
}

bool Sessions::fresh(const detail::SessionData& data, Timestamp now) const {
    return life(data, now) > Duration::zero();
}

Task<detail::PlugResult> Sessions::before(Conn conn) const {
    const Timestamp now = wall_now();
    const std::string_view cookie = conn.cookie(cookie_name(conn)).value_or("");
    if (cookie.empty()) {
        conn.assign(Session({}, now));
        co_return std::nullopt;
    }
    if (!options_.store) {
        conn.assign(Session(
            [this, keys = keys_, cookie, now]() -> std::optional<detail::SessionData> {
                Result<std::string> text = keys->open(cookie, now, options_.absolute);
                if (!text) return std::nullopt;
                auto data = detail::SessionData::decode(*text);
                return data && fresh(*data, now) ? std::move(data) : std::nullopt;
            },
            now));
        co_return std::nullopt;
    }
    std::optional<detail::SessionData> data;
    std::string key;
    if (cookie.size() == token_size) {
        key = key_of(cookie);
        Result<std::optional<std::string>> text = co_await options_.store->read(key);
        if (!text) co_return error(conn, text.error(), {.status = 503});
        if (*text) data = detail::SessionData::decode(**text);
        if (data && !fresh(*data, now)) data.reset();
    }
    bool found = data.has_value();
    Session& session =
        conn.assign(Session([data = std::move(data)]() mutable { return std::move(data); }, now));
    if (found) session.stored_under_ = std::move(key);
    co_return std::nullopt;
}

Task<> Sessions::after(Conn conn, Response& response) const {
    Session* session = conn.find<Session>();
    if (!session || !session->data_) co_return;
    detail::SessionData& data = *session->data_;
    if (session->flash_shown_ && !is_redirect(response.status)) {
        data.flash = Json::object();
        session->changed_ = true;
    }
    if (data.empty() && session->existed_) session->dropped_ = true;
    if (session->dropped_) {
        if (!session->stored_under_.empty()) {
            Result<> erased = co_await options_.store->erase(session->stored_under_);
            if (!erased) {
                response = error(conn, erased.error(), {.status = 503});
                co_return;
            }
        }
        if (!conn.cookie(cookie_name(conn)).value_or("").empty()) remove_cookie(conn, response);
        co_return;
    }
    // Not written on every use: a tenth of the idle time is near enough.
    bool due = session->existed_ && (session->now_ - data.seen) * 10 > options_.idle;
    if (data.empty() || (!session->changed_ && !due)) co_return;
    data.seen = session->now_;
    if (options_.store) {
        Result<> stored = co_await store(conn, response, *session);
        if (!stored) response = error(conn, stored.error(), {.status = 503});
    } else {
        set_cookie(conn, response, keys_->seal(data.encode(), session->now_),
                   life(data, session->now_));
    }
}

Task<Result<>> Sessions::store(Conn conn, Response& response, Session& session) const {
    const Duration ttl = life(*session.data_, session.now_);
    std::string text = session.data_->encode();
    if (!session.stored_under_.empty() && !session.renewed_) {
        Result<bool> there = co_await options_.store->replace(session.stored_under_, text, ttl);
        if (!there) co_return std::move(there).error();
        // Somebody ended it meanwhile: it stays ended.
        if (!*there) {
            remove_cookie(conn, response);
        } else if (options_.keep) {
            set_cookie(conn, response, std::string(*conn.cookie(cookie_name(conn))), ttl);
        }
        co_return Result<>();
    }
    std::string token = new_token();
    co_await require(options_.store->create(key_of(token), std::move(text), ttl));
    if (!session.stored_under_.empty()) {
        co_await require(options_.store->erase(session.stored_under_));
    }
    set_cookie(conn, response, std::move(token), ttl);
    co_return Result<>();
}

void Sessions::set_cookie(const Conn& conn, Response& response, std::string value,
                          Duration life) const {
    Cookie cookie{.name = cookie_name(conn), .value = std::move(value)};
    if (cookie.name.size() + cookie.value.size() > cookie_limit) {
        throw std::length_error("a session of " + std::to_string(cookie.value.size()) +
                                " bytes does not fit into a cookie (4,096 with its name): keep "
                                "less in it, or give Sessions a store");
    }
    cookie.same_site = options_.same_site;
    cookie.secure = secure(conn);
    if (options_.keep) cookie.max_age = std::min(*options_.keep, life);
    response.headers.add("set-cookie", format_set_cookie(cookie));
    if (!response.headers.contains("cache-control")) {
        response.headers.add("cache-control", "private, max-age=0, must-revalidate");
    }
}

void Sessions::remove_cookie(const Conn& conn, Response& response) const {
    Cookie cookie{.name = cookie_name(conn), .value = {}, .max_age = Duration::zero()};
    cookie.same_site = options_.same_site;
    cookie.secure = secure(conn);
    response.headers.add("set-cookie", format_set_cookie(cookie));
}

}  // namespace bennu
