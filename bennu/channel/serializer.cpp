#include "bennu/channel/serializer.hpp"

#include <stdexcept>

#include "bennu/base/plain_text.hpp"
#include "bennu/base/utf8.hpp"

namespace bennu::phoenix {

namespace {

constexpr std::size_t max_ref = 255;

Error bad_frame(std::string_view why) {
    return Error(ErrorKind::invalid, "bad_frame", std::string("malformed frame: ").append(why));
}

/// Reads the front of a frame: the elements before the payload are null or strings without
/// structure.
class EnvelopeReader {
  public:
    explicit EnvelopeReader(std::string_view text) : rest_(text) {}

    bool take(char expected) {
        skip_space();
        if (rest_.empty() || rest_.front() != expected) return false;
        rest_.remove_prefix(1);
        return true;
    }

    /// A string: a view into the frame, or into `unescaped` when it has escapes. `valid` false: no
    /// well-formed string.
    std::string_view string(std::string& unescaped, bool& valid) {
        valid = false;
        if (!take('"')) return {};
        const std::size_t plain = plain_run<'"', '\\'>(rest_);
        if (plain < rest_.size() && rest_[plain] == '"') [[likely]] {
            std::string_view text = rest_.substr(0, plain);
            rest_.remove_prefix(plain + 1);
            valid = true;
            return text;
        }
        return unusual_string(plain, unescaped, valid);
    }

    /// Null or a string.
    bool ref(Json& out) {
        skip_space();
        if (rest_.starts_with("null")) {
            rest_.remove_prefix(4);
            out = nullptr;
            return true;
        }
        std::string unescaped;
        bool valid = false;
        std::string_view text = string(unescaped, valid);
        if (!valid || text.size() > max_ref) return false;
        out = Json(text);
        return true;
    }

    /// What is left, up to the bracket that ends the frame.
    std::string_view last_element(bool& valid) {
        while (!rest_.empty() && is_space(rest_.back())) rest_.remove_suffix(1);
        valid = rest_.ends_with(']');
        return valid ? rest_.substr(0, rest_.size() - 1) : rest_;
    }

  private:
    /// The rest of a string that goes on after `plain` with more than printable ASCII.
    std::string_view unusual_string(std::size_t plain, std::string& unescaped, bool& valid) {
        bool escapes = false;
        for (std::size_t i = plain; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (c == '\\') {
                escapes = true;
                ++i;
            } else if (c == '"') {
                std::string_view text = rest_.substr(0, i);
                rest_.remove_prefix(i + 1);
                if (!escapes) {
                    valid = valid_utf8(text);
                    return text;
                }
                std::string_view quoted(text.data() - 1, text.size() + 2);
                Result<Json> parsed = parse_json(quoted);
                if (!parsed) return {};
                unescaped = parsed->as_string();
                valid = true;
                return unescaped;
            } else if (static_cast<unsigned char>(c) < 0x20) {
                return {};
            }
        }
        return {};
    }
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
    void skip_space() {
        while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    }
    std::string_view rest_;
};

void append_ref(std::string& out, const Json& ref) {
    if (ref.is_string()) {
        append_json_string(out, ref.as_string());
    } else {
        write_json(out, ref);
    }
}

/// Everything before the payload.
void append_envelope(std::string& out, Version version, const Json& join_ref, const Json& ref,
                     std::string_view topic, std::string_view event) {
    const bool v1 = version == Version::v1;
    if (v1) {
        out += "{\"topic\":";
    } else {
        out += '[';
        append_ref(out, join_ref);
        out += ',';
        append_ref(out, ref);
        out += ',';
    }
    append_json_string(out, topic);
    out += v1 ? ",\"event\":" : ",";
    append_json_string(out, event);
    out += v1 ? ",\"payload\":" : ",";
}

/// Everything after it.
void append_end(std::string& out, Version version, const Json& ref) {
    if (version == Version::v2) {
        out += ']';
        return;
    }
    out += ",\"ref\":";
    append_ref(out, ref);
    out += '}';
}

bool is_v1_ref(const Json& ref) {
    return ref.is_null() || ref.is_int() || (ref.is_string() && ref.as_string().size() <= max_ref);
}

std::string_view text_of(const Json& ref) {
    return ref.is_null() ? std::string_view() : ref.as_string();
}

void append_length(std::string& out, std::string_view part) {
    if (part.size() > 255)
        throw std::length_error("a binary frame holds names of at most 255 bytes");
    out += static_cast<char>(static_cast<unsigned char>(part.size()));
}

template <typename... Parts>
void append_binary(std::string& out, char kind, std::string_view data, Parts... parts) {
    out += kind;
    (append_length(out, parts), ...);
    (out.append(parts), ...);
    out.append(data);
}

}  // namespace

Result<> decode_text(std::string_view frame, ClientMessage& message, JsonLimits limits) {
    EnvelopeReader reader(frame);
    if (!reader.take('[')) return bad_frame("not an array");
    if (!reader.ref(message.join_ref) || !reader.take(',')) return bad_frame("join_ref");
    if (!reader.ref(message.ref) || !reader.take(',')) return bad_frame("ref");
    bool valid = false;
    message.topic = reader.string(message.unescaped_topic, valid);
    if (!valid || !reader.take(',')) return bad_frame("topic");
    message.event = reader.string(message.unescaped_event, valid);
    if (!valid || !reader.take(',')) return bad_frame("event");
    std::string_view payload = reader.last_element(valid);
    if (!valid) return bad_frame("no end of the array");
    Result<Json> parsed = parse_json(payload, limits);
    if (!parsed) {
        // Only text that is JSON can be a frame whose front means what it seems to mean.
        const bool no_json =
            parsed.error().code() == "malformed_json" || parsed.error().code() == "invalid_utf8";
        std::string why = "payload: " + std::string(parsed.error().message());
        if (no_json) return bad_frame(why);
        return Error(ErrorKind::invalid, std::string(unreadable_payload), std::move(why));
    }
    message.payload = *std::move(parsed);
    message.binary = false;
    return {};
}

Result<> decode_v1(std::string_view frame, ClientMessage& message, JsonLimits limits) {
    limits.max_depth += 1;
    Result<Json> parsed = parse_json(frame, limits);
    if (!parsed) return bad_frame(parsed.error().message());
    const Json* topic = parsed->find("topic");
    const Json* event = parsed->find("event");
    const Json* ref = parsed->find("ref");
    Json* payload = parsed->find("payload");
    if (!topic || !topic->is_string()) return bad_frame("topic");
    if (!event || !event->is_string()) return bad_frame("event");
    if (!ref || !is_v1_ref(*ref)) return bad_frame("ref");
    if (!payload) return bad_frame("payload");
    const Json& join_ref = (*parsed)["join_ref"];
    if (!is_v1_ref(join_ref)) return bad_frame("join_ref");
    message.join_ref = join_ref;
    message.ref = *ref;
    message.unescaped_topic = topic->as_string();
    message.unescaped_event = event->as_string();
    message.topic = message.unescaped_topic;
    message.event = message.unescaped_event;
    message.payload = std::move(*payload);
    message.binary = false;
    return {};
}

Result<> decode_binary(std::string_view frame, ClientMessage& message) {
    if (frame.size() < 5) return bad_frame("too short");
    if (frame[0] != 0) return bad_frame("not a push");
    std::string_view rest = frame.substr(5);
    std::array<std::string_view, 4> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto length = static_cast<unsigned char>(frame[i + 1]);
        if (rest.size() < length) return bad_frame("too short");
        parts[i] = rest.substr(0, length);
        rest.remove_prefix(length);
        if (!valid_utf8(parts[i])) return bad_frame("not UTF-8");
    }
    message.join_ref = parts[0].empty() ? Json() : Json(parts[0]);
    message.ref = parts[1].empty() ? Json() : Json(parts[1]);
    message.topic = parts[2];
    message.event = parts[3];
    message.payload = nullptr;
    message.data = rest;
    message.binary = true;
    return {};
}

void encode_push(std::string& out, Version version, const Json& join_ref, std::string_view topic,
                 std::string_view event, const Payload& payload) {
    append_envelope(out, version, join_ref, nullptr, topic, event);
    payload.write(out);
    append_end(out, version, nullptr);
}

void encode_reply(std::string& out, Version version, const Json& join_ref, const Json& ref,
                  std::string_view topic, std::string_view status, const Payload& response) {
    append_envelope(out, version, join_ref, ref, topic, "phx_reply");
    out += "{\"status\":";
    append_json_string(out, status);
    out += ",\"response\":";
    response.write(out);
    out += '}';
    append_end(out, version, ref);
}

void encode_channel_crash(std::string& out, Version version, const Json& join_ref,
                          std::string_view topic) {
    append_envelope(out, version, join_ref, join_ref, topic, "phx_error");
    out += "{\"reason\":\"channel_crash\"}";
    append_end(out, version, join_ref);
}

void encode_close(std::string& out, Version version, const Json& join_ref, std::string_view topic) {
    append_envelope(out, version, join_ref, join_ref, topic, "phx_close");
    out += "{}";
    append_end(out, version, join_ref);
}

void encode_binary_push(std::string& out, const Json& join_ref, std::string_view topic,
                        std::string_view event, std::string_view data) {
    append_binary(out, '\0', data, text_of(join_ref), topic, event);
}

void encode_binary_reply(std::string& out, const Json& join_ref, const Json& ref,
                         std::string_view topic, std::string_view status, std::string_view data) {
    append_binary(out, '\1', data, text_of(join_ref), text_of(ref), topic, status);
}

std::string broadcast_message(Version version, const Broadcast& broadcast) {
    std::string out;
    if (broadcast.is_binary()) {
        append_binary(out, '\2', broadcast.data(), broadcast.topic().view(), broadcast.event());
    } else {
        out.reserve(broadcast.data().size() + broadcast.topic().view().size() +
                    broadcast.event().size() + 48);
        append_envelope(out, version, nullptr, nullptr, broadcast.topic(), broadcast.event());
        out.append(broadcast.data());
        append_end(out, version, nullptr);
    }
    return out;
}

}  // namespace bennu::phoenix
