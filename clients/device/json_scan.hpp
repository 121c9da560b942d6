#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bennu::device {

/// Walks over JSON text (RFC 8259, nothing more) without building anything: payloads stay text, so
/// that a device may use whatever JSON library it has, or none. The text must be valid UTF-8, which
/// the WebSocket has checked.
///
/// Every function consumes what it names, white space before it included, and is false when that is
/// not what stands there; the scanner is of no use after that.
class JsonScanner {
  public:
    explicit JsonScanner(std::string_view text) : text_(text) {}

    /// One punctuation character.
    bool character(char wanted);
    /// Whether the next token begins with that character; consumes white space only.
    bool next_is(char first);
    bool null();
    /// A string; `out` gets its characters, escapes resolved. Half a surrogate pair is U+FFFD.
    bool string(std::string& out);
    /// A whole number that fits.
    bool integer(std::int64_t& out);
    /// Any value, at most 100 levels deep; `raw` gets its text.
    bool value(std::string_view& raw);
    /// Nothing but white space is left.
    bool end();

  private:
    void skip_space();
    bool skip_value(int depth);
    bool skip_string();
    bool skip_number();
    bool skip_digits();
    bool word(std::string_view wanted);
    bool escape(std::string* out);
    bool code_unit(unsigned& unit);
    bool skip_members(char close, int depth);

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Whether the text is one JSON value.
bool is_json(std::string_view text);
bool is_json_object(std::string_view text);
/// The text of an object's member; nothing when it has none, or is no object. Of several members of
/// one name the last counts, as everywhere.
std::optional<std::string_view> json_member(std::string_view object, std::string_view name);
/// Appends the text as a JSON string.
void append_json(std::string& out, std::string_view text);

}  // namespace bennu::device
