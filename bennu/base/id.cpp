#include "bennu/base/id.hpp"

#include <algorithm>
#include <array>

#include "bennu/base/ascii.hpp"
#include "bennu/base/id_text.hpp"

namespace bennu {
namespace {

void store_big_endian(std::uint8_t* to, std::uint64_t value, int bytes) {
    for (int i = bytes; i-- > 0; value >>= 8) to[i] = static_cast<std::uint8_t>(value);
}

/// `ordered` fills rand_a (12 bits) and the top of rand_b (14 bits), `tail` the rest (48 bits).
Id make_uuid7(std::int64_t ms, std::uint32_t ordered, std::uint64_t tail) {
    Id id;
    store_big_endian(id.bytes.data(), static_cast<std::uint64_t>(ms), 6);
    store_big_endian(id.bytes.data() + 6, 0x7000 | (ordered >> 14 & 0xfff), 2);
    store_big_endian(id.bytes.data() + 8, 0x8000 | (ordered & 0x3fff), 2);
    store_big_endian(id.bytes.data() + 10, tail, 6);
    return id;
}

constexpr std::uint32_t counter_limit = 1u << 26;

bool hyphen_at(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

int hex_value(char c) {
    if (is_ascii_digit(c)) return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

void write_id(std::span<char, 36> to, const Id& id) {
    static constexpr char digits[] = "0123456789abcdef";
    char* at = to.data();
    const std::uint8_t* byte = id.bytes.data();
    const auto put = [&](int bytes) {
        for (; bytes > 0; --bytes, ++byte) {
            *at++ = digits[*byte >> 4];
            *at++ = digits[*byte & 15];
        }
    };
    put(4);
    for (int group = 0; group < 3; ++group) {
        *at++ = '-';
        put(2);
    }
    *at++ = '-';
    put(6);
}

void append_id(std::string& out, const Id& id) {
    std::array<char, 36> text;
    write_id(text, id);
    out.append(text.data(), text.size());
}

std::string to_string(const Id& id) {
    std::string out;
    append_id(out, id);
    return out;
}

Result<Id> parse_id(std::string_view text) {
    const auto bad = [] { return Error(ErrorKind::invalid, "invalid", "must be a UUID"); };
    if (text.size() != 36) return bad();
    Id id;
    std::size_t byte = 0;
    for (std::size_t at = 0; at < 36;) {
        if (hyphen_at(at)) {
            if (text[at++] != '-') return bad();
            continue;
        }
        const int high = hex_value(text[at]);
        const int low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) return bad();
        id.bytes[byte++] = static_cast<std::uint8_t>(high << 4 | low);
        at += 2;
    }
    return id;
}

Id uuid7(Timestamp at, Random& random) {
    return make_uuid7(at.ms, static_cast<std::uint32_t>(random.below(counter_limit)),
                      random.next());
}

std::optional<Timestamp> created_at(const Id& id) {
    if (id.bytes[6] >> 4 != 7) return std::nullopt;
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id.bytes[i];
    return Timestamp{ms};
}

Id IdGenerator::next(Timestamp now) {
    if (now.ms > last_ms_) {
        last_ms_ = now.ms;
        // The top bit starts clear, so that a millisecond has room for at least 2^25 ids.
        counter_ = static_cast<std::uint32_t>(random_.below(counter_limit / 2));
    } else if (++counter_ == counter_limit) {
        ++last_ms_;
        counter_ = 0;
    }
    return make_uuid7(last_ms_, counter_, random_.next());
}

}  // namespace bennu
