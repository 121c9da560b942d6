#include "bennu/base/keys.hpp"

#include <array>
#include <stdexcept>

#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/base/random.hpp"

namespace bennu {

namespace {

// A text, before base64url: version, key id, seconds since 1970, then what its kind holds.
constexpr char sealed_version = 's';
constexpr char signed_version = 'v';
constexpr std::size_t header_size = 1 + 4 + 8;
constexpr std::size_t salt_size = 16;
constexpr std::size_t mac_size = 32;
constexpr std::size_t shortest_secret = 32;
constexpr Duration clock_skew = std::chrono::minutes(1);
/// Each text has a key of its own, used once: its nonce may be any constant.
constexpr std::string_view nonce("\0\0\0\0\0\0\0\0\0\0\0\0", 12);

void put_number(std::string& out, std::uint64_t number, int bytes) {
    for (int i = bytes; i-- > 0;) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t get_number(std::string_view bytes) {
    std::uint64_t number = 0;
    for (char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
    return number;
}

std::string make_header(char version, std::uint32_t key, Timestamp now) {
    std::string header(1, version);
    put_number(header, key, 4);
    put_number(header, static_cast<std::uint64_t>(now.ms / 1000), 8);
    return header;
}

Error bad_token() {
    return Error(ErrorKind::unauthorized, "bad_token", "this is not a token of ours");
}

Result<> check_age(std::string_view header, Timestamp now, Duration max_age) {
    const std::uint64_t seconds = get_number(header.substr(5, 8));
    // Later than the year 9999 is nobody's clock; below, milliseconds cannot overflow.
    if (seconds > 253'402'300'799) return bad_token();
    const Timestamp made{static_cast<std::int64_t>(seconds) * 1000};
    if (now - made > max_age || made - now > clock_skew) {
        return Error(ErrorKind::unauthorized, "expired", "this token is no longer valid");
    }
    return {};
}

/// The bytes of a text of this version that is long enough to hold `least` after its header.
Result<std::string> bytes_of_text(std::string_view text, char version, std::size_t least) {
    Result<std::string> bytes = base64url_decode(text);
    if (!bytes || bytes->size() < header_size + least || bytes->front() != version)
        return bad_token();
    return bytes;
}

std::string mac_of(const Secret& key, std::string_view message) {
    return std::string(as_text(hmac_sha256(key.reveal(), message)));
}

}  // namespace

KeyRing::KeyRing(std::span<const Secret> secrets, std::string_view purpose) {
    if (secrets.empty()) throw std::invalid_argument("a key ring needs a secret");
    for (const Secret& secret : secrets) {
        if (secret.reveal().size() < shortest_secret)
            throw std::invalid_argument("a secret needs at least 32 bytes");
        auto derived = [&](std::string_view use, std::size_t size) {
            return hkdf_sha256(secret.reveal(), purpose, use, size);
        };
        keys_.push_back({Secret(derived("seal", 32)), Secret(derived("sign", 32)),
                         static_cast<std::uint32_t>(get_number(derived("key id", 4)))});
    }
}

const KeyRing::Key* KeyRing::find(std::uint32_t id) const {
    for (const Key& key : keys_) {
        if (key.id == id) return &key;
    }
    return nullptr;
}

std::string KeyRing::seal(std::string_view plain, Timestamp now) const {
    const Key& key = keys_.front();
    std::string text = make_header(sealed_version, key.id, now);
    std::array<std::byte, salt_size> salt;
    secure_random(salt);
    text += as_text(salt);
    const Secret once(hkdf_sha256(key.sealing.reveal(), as_text(salt), "once"));
    text += aes_gcm_seal(once.reveal(), nonce, text, plain);
    return base64url_encode(text);
}

Result<std::string> KeyRing::open(std::string_view sealed, Timestamp now, Duration max_age) const {
    Result<std::string> bytes = bytes_of_text(sealed, sealed_version, salt_size);
    if (!bytes) return std::move(bytes).error();
    const std::string_view text = *bytes;
    const Key* key = find(static_cast<std::uint32_t>(get_number(text.substr(1, 4))));
    if (!key) return bad_token();
    const std::string_view header = text.substr(0, header_size + salt_size);
    const std::string_view salt = header.substr(header_size);
    const Secret once(hkdf_sha256(key->sealing.reveal(), salt, "once"));
    std::optional<std::string> plain =
        aes_gcm_open(once.reveal(), nonce, header, text.substr(header.size()));
    if (!plain) return bad_token();
    if (Result<> fresh = check_age(header, now, max_age); !fresh) return std::move(fresh).error();
    return *std::move(plain);
}

std::string KeyRing::sign(std::string_view data, Timestamp now) const {
    const Key& key = keys_.front();
    std::string text = make_header(signed_version, key.id, now);
    text += data;
    text += mac_of(key.signing, text);
    return base64url_encode(text);
}

Result<std::string> KeyRing::verify(std::string_view token, Timestamp now, Duration max_age) const {
    Result<std::string> bytes = bytes_of_text(token, signed_version, mac_size);
    if (!bytes) return std::move(bytes).error();
    const std::string_view text = *bytes;
    const Key* key = find(static_cast<std::uint32_t>(get_number(text.substr(1, 4))));
    if (!key) return bad_token();
    const std::string_view message = text.substr(0, text.size() - mac_size);
    if (!constant_time_equal(mac_of(key->signing, message), text.substr(message.size())))
        return bad_token();
    if (Result<> fresh = check_age(message, now, max_age); !fresh) return std::move(fresh).error();
    return std::string(message.substr(header_size));
}

}  // namespace bennu
