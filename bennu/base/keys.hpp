#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"
#include "bennu/base/secret.hpp"
#include "bennu/base/time.hpp"

namespace bennu {

/// The keys of one purpose, derived from the program's secrets. The first secret seals and signs,
/// every one opens and verifies: to rotate, put a new one in front and drop the old one when what
/// it sealed has expired. What was sealed or signed for one purpose is worthless for any other.
/// Immutable; any thread.
///
/// Texts are base64url, safe in URLs, cookies and headers. They hold a version, which key it was,
/// when it was made (seconds) and the data; changing any bit of one makes it invalid.
class KeyRing {
  public:
    /// Secrets of fewer than 32 bytes, or none at all, are a fault.
    KeyRing(std::span<const Secret> secrets, std::string_view purpose);
    KeyRing(const Secret& secret, std::string_view purpose) : KeyRing({&secret, 1}, purpose) {}

    /// Encrypted and authenticated (AES-256-GCM under a key of its own for each text, so that no
    /// number of them wears a key out). 45 bytes longer than `plain`, before base64url.
    std::string seal(std::string_view plain, Timestamp now) const;
    /// Error kind `unauthorized`, with code `bad_token` for what we did not seal, `expired` when it
    /// is older than `max_age` or claims to be of the future (over a minute).
    Result<std::string> open(std::string_view sealed, Timestamp now, Duration max_age) const;

    /// Readable by whoever holds it, but not changeable (HMAC-SHA-256).
    std::string sign(std::string_view data, Timestamp now) const;
    Result<std::string> verify(std::string_view token, Timestamp now, Duration max_age) const;

  private:
    struct Key {
        Secret sealing;
        Secret signing;
        std::uint32_t id;  ///< says which key a text needs; follows from the secret
    };
    const Key* find(std::uint32_t id) const;

    std::vector<Key> keys_;
};

}  // namespace bennu
