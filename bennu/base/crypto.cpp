#include "bennu/base/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <memory>
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

// OpenSSL takes a null pointer for "as before"; an empty text is not that.
const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());
}

constexpr int gcm_tag = 16;

void check_gcm(std::string_view key, std::string_view nonce) {
    if (key.size() != 32 || nonce.size() != 12)
        throw std::invalid_argument("AES-256-GCM takes a key of 32 bytes and a nonce of 12");
}

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
Cipher new_cipher() {
    Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    if (!cipher) throw std::bad_alloc();
    return cipher;
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
    if (!HMAC(EVP_sha256(), bytes_of(key), static_cast<int>(key.size()), bytes_of(message),
              message.size(), out.data(), nullptr)) {
        throw std::runtime_error("OpenSSL refused to compute an HMAC");
    }
    return out;
}

std::string hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info,
                        std::size_t size) {
    std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free);
    std::string out(size, '\0');
    auto number = [](std::string_view text) { return static_cast<int>(text.size()); };
    if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) != 1 ||
        EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes_of(secret), number(secret)) != 1 ||
        EVP_PKEY_CTX_set1_hkdf_salt(context.get(), bytes_of(salt), number(salt)) != 1 ||
        EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes_of(info), number(info)) != 1 ||
        EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size) != 1) {
        throw std::runtime_error("OpenSSL refused to derive a key");
    }
    return out;
}

std::string aes_gcm_seal(std::string_view key, std::string_view nonce, std::string_view header,
                         std::string_view plain) {
    check_gcm(key, nonce);
    Cipher cipher = new_cipher();
    std::string out(plain.size() + gcm_tag, '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    int size = 0;
    if (EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                           bytes_of(nonce)) != 1 ||
        EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes_of(header),
                          static_cast<int>(header.size())) != 1 ||
        EVP_EncryptUpdate(cipher.get(), to, &size, bytes_of(plain),
                          static_cast<int>(plain.size())) != 1 ||
        EVP_EncryptFinal_ex(cipher.get(), to + size, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, gcm_tag, to + plain.size()) != 1) {
        throw std::runtime_error("OpenSSL refused to encrypt");
    }
    return out;
}

std::optional<std::string> aes_gcm_open(std::string_view key, std::string_view nonce,
                                        std::string_view header, std::string_view sealed) {
    check_gcm(key, nonce);
    if (sealed.size() < gcm_tag) return std::nullopt;
    Cipher cipher = new_cipher();
    std::string tag(sealed.substr(sealed.size() - gcm_tag));
    sealed.remove_suffix(gcm_tag);
    std::string out(sealed.size(), '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    int size = 0;
    if (EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                           bytes_of(nonce)) != 1 ||
        EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes_of(header),
                          static_cast<int>(header.size())) != 1 ||
        EVP_DecryptUpdate(cipher.get(), to, &size, bytes_of(sealed),
                          static_cast<int>(sealed.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, gcm_tag, tag.data()) != 1) {
        throw std::runtime_error("OpenSSL refused to decrypt");
    }
    if (EVP_DecryptFinal_ex(cipher.get(), to + size, &size) != 1) return std::nullopt;
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
