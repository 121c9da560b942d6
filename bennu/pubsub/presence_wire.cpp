#include "bennu/pubsub/presence_wire.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/base/json.hpp"
#include "bennu/base/utf8.hpp"

namespace bennu::presence::detail {

namespace {

using Kind = TrackerMessage::Kind;

constexpr std::size_t longest_topic = 0xffff;

class Writer {
  public:
    template <typename T>
    void number(T value) {
        for (std::size_t i = 0; i < sizeof(T); ++i)
            out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
    }
    template <typename Length>
    void text(std::string_view text) {
        if (text.size() > static_cast<Length>(-1)) throw std::length_error("a text is too long");
        number(static_cast<Length>(text.size()));
        out.append(text);
    }
    void replica(const ReplicaId& id) {
        text<std::uint8_t>(id.name);
        number(id.incarnation);
    }
    std::string out;
};

/// Reads nothing but zeros and empty texts once something was missing.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    template <typename T>
    T number() {
        std::uint64_t value = 0;
        const std::string_view bytes = take(sizeof(T));
        for (std::size_t i = 0; i < bytes.size(); ++i)
            value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
        return static_cast<T>(value);
    }
    template <typename Length>
    std::string_view text(std::size_t longest) {
        const std::size_t length = number<Length>();
        if (length > longest) ok_ = false;
        return take(length);
    }
    ReplicaId replica() {
        ReplicaId id{.name = std::string(text<std::uint8_t>(255))};
        id.incarnation = number<std::uint64_t>();
        if (id.name.empty()) ok_ = false;
        return id;
    }
    std::string_view take(std::size_t length) {
        if (!ok_ || rest_.size() < length) {
            ok_ = false;
            return {};
        }
        std::string_view taken = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return taken;
    }
    bool ok() const { return ok_; }
    bool done() const { return ok_ && rest_.empty(); }
    void fail() { ok_ = false; }

  private:
    std::string_view rest_;
    bool ok_ = true;
};

bool is_ref(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

/// They are copied into the JSON that clients get.
bool are_fields(std::string_view fields) {
    if (fields.empty()) return true;
    if (!fields.ends_with(',')) return false;
    std::string object = "{";
    object.append(fields.substr(0, fields.size() - 1)).append("}");
    Result<Json> parsed = parse_json(object, {.max_bytes = object.size()});
    return parsed && !parsed->contains("phx_ref");
}

void write_delta(Writer& out, const Delta& delta) {
    out.number(delta.from);
    out.number(delta.to);
    out.number(delta.as_of);
    out.number(static_cast<std::uint32_t>(delta.removed.size()));
    for (std::uint64_t dot : delta.removed) out.number(dot);
    out.number(static_cast<std::uint32_t>(delta.entries.size()));
    for (const Entry& entry : delta.entries) {
        out.number(entry.dot);
        out.text<std::uint16_t>(entry.topic.view());
        out.text<std::uint16_t>(entry.key);
        out.out.append(entry.text.ref.data(), entry.text.ref.size());
        out.text<std::uint32_t>(entry.text.fields);
    }
}

Entry read_entry(Reader& in) {
    Entry entry{.dot = in.number<std::uint64_t>()};
    const std::string_view topic = in.text<std::uint16_t>(longest_topic);
    const std::string_view key = in.text<std::uint16_t>(longest_key);
    const std::string_view ref = in.take(entry.text.ref.size());
    const std::string_view fields = in.text<std::uint32_t>(longest_fields);
    if (topic.empty() || !valid_utf8(topic) || !valid_utf8(key) || !is_ref(ref) ||
        !are_fields(fields))
        in.fail();
    if (!in.ok()) return entry;
    entry.topic = Topic(topic);
    entry.key = key;
    std::ranges::copy(ref, entry.text.ref.begin());
    entry.text.fields = fields;
    return entry;
}

Delta read_delta(Reader& in, Delta::Kind kind) {
    Delta delta{.kind = kind};
    delta.from = in.number<std::uint64_t>();
    delta.to = in.number<std::uint64_t>();
    delta.as_of = in.number<std::uint64_t>();
    const bool is_part = kind == Delta::Kind::part;
    if (delta.to < delta.from || (is_part ? delta.to > delta.as_of : delta.as_of != 0)) in.fail();
    std::uint64_t last = 0;
    const auto removed = in.number<std::uint32_t>();
    if (is_part && removed != 0) in.fail();
    for (std::uint32_t i = 0; i < removed && in.ok(); ++i) {
        const auto dot = in.number<std::uint64_t>();
        if (dot <= last || dot > delta.from) in.fail();
        delta.removed.push_back(last = dot);
    }
    last = delta.from;
    const auto entries = in.number<std::uint32_t>();
    for (std::uint32_t i = 0; i < entries && in.ok(); ++i) {
        Entry entry = read_entry(in);
        if (entry.dot <= last || entry.dot > delta.to) in.fail();
        last = entry.dot;
        delta.entries.push_back(std::move(entry));
    }
    return delta;
}

}  // namespace

std::string encode_tracker_message(const TrackerMessage& message) {
    Writer out;
    out.out.push_back(tracker_version);
    out.number(static_cast<std::uint8_t>(message.kind));
    out.number(message.group);
    out.replica(message.from);
    if (message.kind == Kind::news) {
        out.number(message.clock);
        out.number(static_cast<std::uint8_t>(
            message.delta ? static_cast<std::uint8_t>(message.delta->kind) : 0));
        if (message.delta) write_delta(out, *message.delta);
    } else if (message.kind == Kind::request) {
        out.replica(message.to);
        out.number(message.request.since);
        out.number(message.request.as_of);
        out.number(message.request.next);
    }
    return std::move(out.out);
}

std::optional<TrackerHead> peek_tracker_message(std::string_view bytes) {
    if (bytes.size() < 3 || bytes[0] != tracker_version) return std::nullopt;
    const auto kind = static_cast<unsigned char>(bytes[1]);
    if (kind < 1 || kind > 4) return std::nullopt;
    return TrackerHead{static_cast<Kind>(kind), static_cast<std::uint8_t>(bytes[2])};
}

Result<TrackerMessage> decode_tracker_message(std::string_view bytes) {
    const Error malformed(ErrorKind::invalid, "bad_tracker_message",
                          "these bytes are no message of a tracker");
    auto head = peek_tracker_message(bytes);
    if (!head) return malformed;
    TrackerMessage message{.kind = head->kind, .group = head->group};
    Reader in(bytes.substr(3));
    message.from = in.replica();
    if (message.kind == Kind::news) {
        message.clock = in.number<std::uint64_t>();
        const auto kind = in.number<std::uint8_t>();
        if (kind > 2) return malformed;
        if (kind != 0) {
            message.delta = read_delta(in, static_cast<Delta::Kind>(kind));
            const Delta& delta = *message.delta;
            if (std::max(delta.to, delta.as_of) > message.clock) return malformed;
        }
    } else if (message.kind == Kind::request) {
        message.to = in.replica();
        message.request.since = in.number<std::uint64_t>();
        message.request.as_of = in.number<std::uint64_t>();
        message.request.next = in.number<std::uint64_t>();
    }
    if (!in.done()) return malformed;
    return message;
}

}  // namespace bennu::presence::detail
