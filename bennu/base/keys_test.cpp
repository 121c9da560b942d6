#include "bennu/base/keys.hpp"

#include <gtest/gtest.h>

#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"

namespace bennu {
namespace keys_tests {

using namespace std::chrono_literals;

const Secret first(std::string(32, 'a'));
const Secret second("another secret, of forty characters or so");
constexpr Timestamp now{1'800'000'000'000};

std::string from_hex(std::string_view text) {
    return hex_decode(text).value();
}

TEST(Crypto, HkdfAgreesWithTheVectorsOfItsRfc) {
    EXPECT_EQ(
        hex_encode(hkdf_sha256(from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                               from_hex("000102030405060708090a0b0c"),
                               from_hex("f0f1f2f3f4f5f6f7f8f9"), 42)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    EXPECT_EQ(
        hex_encode(
            hkdf_sha256(from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), "", "", 42)),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Crypto, AesGcmAgreesWithItsSpecification) {
    const std::string key(32, '\0');
    const std::string nonce(12, '\0');
    EXPECT_EQ(hex_encode(aes_gcm_seal(key, nonce, "", std::string(16, '\0'))),
              "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    EXPECT_EQ(hex_encode(aes_gcm_seal(key, nonce, "", "")), "530f8afbc74536b9a963b4f1c4cb738b");
    EXPECT_THROW(aes_gcm_seal("short", nonce, "", ""), std::invalid_argument);
}

TEST(KeyRing, OpensWhatItSealed) {
    const KeyRing keys(first, "session");
    for (const std::string& plain : {std::string(), std::string("a"), std::string(5000, '\xff')}) {
        const std::string sealed = keys.seal(plain, now);
        EXPECT_NE(sealed, keys.seal(plain, now)) << "equal texts look alike";
        EXPECT_EQ(keys.open(sealed, now + 1h, 2h).value(), plain);
    }
}

TEST(KeyRing, EveryChangedBitIsNoticed) {
    const KeyRing keys(first, "session");
    for (bool sealed : {true, false}) {
        const std::string text =
            base64url_decode(sealed ? keys.seal("who=1", now) : keys.sign("who=1", now)).value();
        for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
            std::string changed = text;
            changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
            changed = base64url_encode(changed);
            auto opened = sealed ? keys.open(changed, now, 1h) : keys.verify(changed, now, 1h);
            EXPECT_FALSE(opened.has_value()) << "bit " << bit;
        }
        for (std::size_t size = 0; size < text.size(); ++size) {
            const std::string cut = base64url_encode(text.substr(0, size));
            EXPECT_FALSE(keys.open(cut, now, 1h).has_value());
            EXPECT_FALSE(keys.verify(cut, now, 1h).has_value());
        }
    }
}

TEST(KeyRing, PurposesAndKindsDoNotMix) {
    const KeyRing session(first, "session");
    const KeyRing reset(first, "password reset");
    EXPECT_EQ(reset.open(session.seal("x", now), now, 1h).error().code(), "bad_token");
    EXPECT_EQ(reset.verify(session.sign("x", now), now, 1h).error().code(), "bad_token");
    EXPECT_FALSE(session.open(session.sign("x", now), now, 1h).has_value());
    EXPECT_FALSE(session.verify(session.seal("x", now), now, 1h).has_value());
}

TEST(KeyRing, RotatesItsSecrets) {
    const KeyRing before(first, "session");
    const KeyRing during(std::array{second, first}, "session");
    const KeyRing after(second, "session");
    const std::string old = before.seal("x", now);
    const std::string fresh = during.seal("x", now);
    EXPECT_TRUE(during.open(old, now, 1h).has_value());
    EXPECT_TRUE(after.open(fresh, now, 1h).has_value());
    EXPECT_FALSE(after.open(old, now, 1h).has_value());
    EXPECT_FALSE(before.open(fresh, now, 1h).has_value());
}

TEST(KeyRing, AgesAreChecked) {
    const KeyRing keys(first, "token");
    const std::string token = keys.sign("42", now);
    EXPECT_EQ(keys.verify(token, now + 1h, 1h).value(), "42");
    EXPECT_EQ(keys.verify(token, now + 1h + 1s, 1h).error().code(), "expired");
    EXPECT_EQ(keys.verify(token, now - 30s, 1h).value(), "42");
    EXPECT_EQ(keys.verify(token, now - 2min, 1h).error().code(), "expired");
    EXPECT_EQ(keys.verify(token, now + 24h * 365 * 20, Duration::max()).value(), "42");
}

TEST(KeyRing, WeakSecretsAreFaults) {
    EXPECT_THROW(KeyRing(Secret("short"), "session"), std::invalid_argument);
    EXPECT_THROW(KeyRing(std::span<const Secret>(), "session"), std::invalid_argument);
}

}  // namespace keys_tests
}  // namespace bennu
