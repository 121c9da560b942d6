#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/base/shared.hpp"

namespace bennu {

/// An immutable run of bytes that is shared, not copied: copies and slices count references. Safe
/// to send to other shards. Three words.
class Bytes {
  public:
    Bytes() = default;
    /// Takes the string's buffer over; nothing is copied.
    Bytes(std::string&& text);
    static Bytes copy(std::string_view text);
    static Bytes copy(std::span<const std::byte> bytes);
    /// Refers to memory that lives as long as the program (embedded assets, literals).
    static Bytes from_static(std::string_view text);

    std::string_view view() const { return {data_, size_}; }
    std::span<const std::byte> span() const { return std::as_bytes(std::span(data_, size_)); }
    const char* data() const { return data_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    /// The part [offset, offset + count), cut to what there is; shares the same memory.
    Bytes slice(std::size_t offset, std::size_t count = std::string_view::npos) const;

    friend bool operator==(const Bytes& a, const Bytes& b) { return a.view() == b.view(); }

  private:
    Shared<std::string> owner_;
    const char* data_ = "";
    std::size_t size_ = 0;
};

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Encoders. Lower-case hex; base64 with padding; base64url without. Decoders are strict: no white
/// space, no missing or surplus padding, no stray bits. hex also reads upper case.
std::string hex_encode(std::string_view bytes);
Result<std::string> hex_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);
Result<std::string> base64_decode(std::string_view text);
std::string base64url_encode(std::string_view bytes);
Result<std::string> base64url_decode(std::string_view text);

}  // namespace bennu
