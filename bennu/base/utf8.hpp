#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bennu {

/// True when `text` is well-formed UTF-8 (no overlong forms, surrogates or code points past
/// U+10FFFF).
bool valid_utf8(std::string_view text);

/// Validates a stream piece by piece, as WebSocket text messages arrive.
class Utf8Validator {
  public:
    /// Feeds the next piece. False, from then on, once the stream can no longer be valid.
    bool feed(std::string_view piece);
    /// True when everything so far is valid and no character is half read.
    bool complete() const { return state_ == 0; }
    void reset() { state_ = 0; }

  private:
    std::uint8_t state_ = 0;
};

/// The text after the byte order mark that some programs put in front of everything.
std::string_view without_byte_order_mark(std::string_view text);
/// Appends one code point; an invalid one becomes U+FFFD.
void append_utf8(std::string& out, char32_t code_point);
/// A copy in which every ill-formed sequence is replaced by U+FFFD.
std::string repair_utf8(std::string_view text);
/// The number of code points in valid UTF-8.
std::size_t count_code_points(std::string_view text);
/// Length in bytes of the well-formed character at the start of `text`, 0 when it is ill-formed or
/// empty.
std::size_t utf8_char_length(std::string_view text);

}  // namespace bennu
