// The one place that knows Boost.JSON: its incremental parser drives the builder below.
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "bennu/base/json.hpp"
#include "bennu/base/utf8.hpp"

namespace bennu {
namespace {

using boost::json::error;
using boost::json::error_code;

/// The first key that occurs twice, or nullptr.
const std::string* duplicate_key(const Json::Object& members) {
    constexpr std::size_t few = 8;
    if (members.size() <= few) {
        for (std::size_t i = 1; i < members.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (members[i].key == members[j].key) return &members[i].key;
            }
        }
        return nullptr;
    }
    std::vector<const std::string*> keys;
    keys.reserve(members.size());
    for (const JsonMember& member : members) keys.push_back(&member.key);
    std::ranges::sort(keys, {}, [](const std::string* key) -> const std::string& { return *key; });
    const auto same = [](const std::string* a, const std::string* b) { return *a == *b; };
    const auto found = std::ranges::adjacent_find(keys, same);
    return found == keys.end() ? nullptr : *found;
}

struct Builder {
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;

    /// An open container: the members or elements from `first` on are its own.
    struct Level {
        std::size_t first;
        bool object;
    };
    /// All open containers. The memory is the thread's and used again, unless it is much.
    struct Open {
        std::vector<Level> levels;
        std::vector<JsonMember> members;
        std::vector<Json> elements;

        void clear() {
            forget(levels);
            forget(members);
            forget(elements);
        }
        template <typename T>
        static void forget(std::vector<T>& list) {
            constexpr std::size_t much = 256;
            list.clear();
            if (list.capacity() > much) std::vector<T>().swap(list);
        }
    };

    Builder() = default;
    ~Builder() { open.clear(); }

    Open& open = opened();
    std::string partial;  // text of a token that comes in parts
    Json result;
    std::string code;  // of an error that the builder itself found
    std::string message;

    static Open& opened() {
        static thread_local Open open;
        return open;
    }
    bool add(Json&& value) {
        if (open.levels.empty()) {
            result = std::move(value);
        } else if (open.levels.back().object) {
            open.members.back().value = std::move(value);
        } else {
            open.elements.push_back(std::move(value));
        }
        return true;
    }
    bool fail(error_code& ec, std::string_view with_code, std::string why) {
        code = with_code;
        message = std::move(why);
        ec = error::syntax;
        return false;
    }
    std::string_view whole(std::string_view last) {
        return partial.empty() ? last : std::string_view(partial.append(last));
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code&) {
        open.levels.push_back({open.elements.size(), false});
        return true;
    }
    bool on_object_begin(error_code&) {
        open.levels.push_back({open.members.size(), true});
        return true;
    }
    bool on_array_end(std::size_t, error_code&) { return add(Json(close(open.elements))); }
    bool on_object_end(std::size_t, error_code& ec) {
        Json::Object members = close(open.members);
        const std::string* twice = duplicate_key(members);
        if (twice) return fail(ec, "duplicate_key", "the key \"" + *twice + "\" occurs twice");
        return add(Json(std::move(members)));
    }
    /// What the innermost container holds.
    template <typename T>
    std::vector<T> close(std::vector<T>& list) {
        const auto first = list.begin() + static_cast<std::ptrdiff_t>(open.levels.back().first);
        std::vector<T> own(std::make_move_iterator(first), std::make_move_iterator(list.end()));
        list.erase(first, list.end());
        open.levels.pop_back();
        return own;
    }
    bool on_string_part(std::string_view part, std::size_t, error_code&) {
        partial += part;
        return true;
    }
    bool on_string(std::string_view last, std::size_t, error_code&) {
        Json text(whole(last));
        partial.clear();
        return add(std::move(text));
    }
    bool on_key_part(std::string_view part, std::size_t, error_code&) {
        partial += part;
        return true;
    }
    bool on_key(std::string_view last, std::size_t, error_code&) {
        open.members.push_back({std::string(whole(last)), Json()});
        partial.clear();
        return true;
    }
    bool on_number_part(std::string_view part, error_code&) {
        partial += part;
        return true;
    }
    bool on_int64(std::int64_t value, std::string_view, error_code&) {
        partial.clear();
        return add(value);
    }
    bool on_uint64(std::uint64_t value, std::string_view, error_code&) {
        partial.clear();
        return add(static_cast<double>(value));
    }
    bool on_double(double approximate, std::string_view last, error_code& ec) {
        // Boost 1.81 rounds in a hurry; from_chars is exact, so that doubles survive a round trip.
        const std::string_view text = whole(last);
        double value = 0;
        const auto failure = std::from_chars(text.data(), text.data() + text.size(), value).ec;
        partial.clear();
        if (failure == std::errc()) return add(value);
        if (std::fabs(approximate) < 1) return add(0.0);  // too small to tell from zero
        return fail(ec, "number_out_of_range", "a number is out of range");
    }
    bool on_bool(bool value, error_code&) { return add(value); }
    bool on_null(error_code&) { return add(nullptr); }
    bool on_comment_part(std::string_view, error_code&) { return true; }
    bool on_comment(std::string_view, error_code&) { return true; }
};

Error at_byte(std::string_view code, std::string_view message, std::size_t offset) {
    return Error(ErrorKind::invalid, std::string(code),
                 std::string(message) + " at byte " + std::to_string(offset));
}

Error describe(error_code ec, const Builder& builder, std::string_view text, std::size_t offset) {
    if (!builder.code.empty()) return at_byte(builder.code, builder.message, offset);
    Utf8Validator validator;
    if (!validator.feed(text.substr(0, offset + 4))) {  // the parser stops where a character starts
        return at_byte("invalid_utf8", "the text is not valid UTF-8", offset);
    }
    if (ec == error::too_deep) return at_byte("too_deep", "the nesting is too deep", offset);
    if (ec == error::exponent_overflow) {
        return at_byte("number_out_of_range", "a number is out of range", offset);
    }
    if (ec == error::incomplete)
        return at_byte("malformed_json", "the JSON text ends early", offset);
    if (ec == error::extra_data) {
        return at_byte("malformed_json", "there is text after the JSON value", offset);
    }
    return at_byte("malformed_json", "the JSON text is malformed", offset);
}

/// The four hexadecimal digits of an escape that begins at `at` with `\\u`, or nothing.
std::optional<unsigned> utf16_escape(std::string_view text, std::size_t at) {
    if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
    unsigned unit = 0;
    const char* end = text.data() + at + 6;
    const auto read = std::from_chars(text.data() + at + 2, end, unit, 16);
    return read.ec == std::errc() && read.ptr == end ? std::optional(unit) : std::nullopt;
}

constexpr bool leads(unsigned unit) {
    return unit >= 0xd800 && unit < 0xdc00;
}
constexpr bool trails(unsigned unit) {
    return unit >= 0xdc00 && unit < 0xe000;
}

/// The text with U+FFFD in the place of every escaped surrogate that has no other half. Each byte
/// stays where it was, so that errors name the right one.
std::string without_lone_surrogates(std::string_view text) {
    std::string out(text);
    for (std::size_t at = out.find('\\'); at != std::string::npos; at = out.find('\\', at)) {
        const std::optional<unsigned> unit = utf16_escape(out, at);
        if (!unit) {
            at += 2;
            continue;
        }
        const std::optional<unsigned> next = utf16_escape(out, at + 6);
        if (leads(*unit) && next && trails(*next)) {
            at += 12;
            continue;
        }
        if (leads(*unit) || trails(*unit)) out.replace(at + 2, 4, "fffd");
        at += 6;
    }
    return out;
}

Result<Json> parse(std::string_view text, JsonLimits limits) {
    boost::json::parse_options options;
    options.max_depth = limits.max_depth;
    boost::json::basic_parser<Builder> parser(options);
    error_code ec;
    const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && consumed < text.size()) ec = error::extra_data;
    if (!ec && !parser.done()) ec = error::incomplete;
    if (ec) return describe(ec, parser.handler(), text, consumed);
    return std::move(parser.handler().result);
}

}  // namespace

Result<Json> parse_json(std::string_view text, JsonLimits limits) {
    if (text.size() > limits.max_bytes) {
        return Error(ErrorKind::too_large, "too_large",
                     "the JSON text is longer than " + std::to_string(limits.max_bytes) + " bytes");
    }
    Result<Json> parsed = parse(text, limits);
    if (parsed || parsed.error().code() != "malformed_json") return parsed;
    // Half a character is legal JSON: JavaScript writes it where a string was cut in two. The
    // parser refuses it, and it is too rare to look for in every text.
    const std::string replaced = without_lone_surrogates(text);
    return replaced == text ? parsed : parse(replaced, limits);
}

}  // namespace bennu
