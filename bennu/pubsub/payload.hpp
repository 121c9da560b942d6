#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "bennu/base/bytes.hpp"
#include "bennu/base/json.hpp"
#include "bennu/base/record_json.hpp"

namespace bennu {

/// What an event carries to its receivers: a JSON value, a record (written as JSON text, without a
/// Json in between), or bytes. The default is an empty object.
class Payload {
  public:
    Payload() : text_("{}"), kind_(Kind::text) {}
    Payload(Json json) : json_(std::move(json)), kind_(Kind::json) {}
    template <Record T>
    Payload(const T& record) : text_(to_json(record)), kind_(Kind::text) {}
    Payload(Bytes bytes) : bytes_(std::move(bytes)), kind_(Kind::binary) {}
    /// JSON that is text already; it must be valid.
    static Payload from_text(std::string json) {
        Payload payload;
        payload.text_ = std::move(json);
        return payload;
    }

    bool is_binary() const { return kind_ == Kind::binary; }
    /// The bytes of a binary payload.
    std::string_view bytes() const { return bytes_.view(); }
    /// Appends the payload as JSON; of a binary one null.
    void write(std::string& out) const {
        if (kind_ == Kind::text) {
            out += text_;
        } else if (kind_ == Kind::json) {
            write_json(out, json_);
        } else {
            out += "null";
        }
    }

  private:
    enum class Kind : std::uint8_t { json, text, binary };
    Json json_;
    std::string text_;
    Bytes bytes_;
    Kind kind_;
};

/// Reads what a client sent into a record; the error names each field (`errors` of an error reply).
template <Record T>
Result<T> payload_as(const Json& payload, const ReadOptions& options = {}) {
    return from_json<T>(payload, options);
}

}  // namespace bennu
