#include "bennu/base/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdexcept>

#include "bennu/base/secret.hpp"

namespace bennu {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> digest(const EVP_MD* algorithm, std::string_view bytes) {
    std::array<std::uint8_t, N> out;
    if (EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, algorithm, nullptr) != 1) {
        throw std::runtime_error("OpenSSL refused to compute a digest");
    }
    return out;
}

}  // namespace

Sha1Digest sha1(std::string_view bytes) {
    return digest<20>(EVP_sha1(), bytes);
}

Sha256Digest sha256(std::string_view bytes) {
    return digest<32>(EVP_sha256(), bytes);
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view message) {
    Sha256Digest out;
    // A null key pointer would mean "the previous key" to OpenSSL.
    const char* key_data = key.empty() ? "" : key.data();
    if (!HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()),
              reinterpret_cast<const unsigned char*>(message.data()), message.size(), out.data(),
              nullptr)) {
        throw std::runtime_error("OpenSSL refused to compute an HMAC");
    }
    return out;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool operator==(const Secret& a, const Secret& b) {
    return constant_time_equal(a.text_, b.text_);
}

void Secret::wipe() noexcept {
    OPENSSL_cleanse(text_.data(), text_.capacity());  // a moved-from short string keeps its bytes
    text_.clear();
}

}  // namespace bennu
