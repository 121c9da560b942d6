#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "bennu/base/ascii.hpp"
#include "bennu/base/record_json.hpp"

namespace bennu {
namespace {

/// Where a value sits; rendered only when something is wrong with it.
struct Path {
    const Path* parent = nullptr;
    std::string_view name = {};
    std::size_t index = SIZE_MAX;  // of a list's element, which has no name

    std::string render() const {
        std::string text = parent ? parent->render() : std::string();
        if (parent && !text.empty() && !text.ends_with('.')) text += '.';
        return text.append(index != SIZE_MAX ? std::to_string(index) : std::string(name));
    }
};

struct Reader {
    const ReadOptions& options;
    std::vector<FieldError>& errors;

    bool fail(const Path& path, std::string code, std::string message) {
        errors.push_back({path.render(), std::move(code), std::move(message)});
        return false;
    }
    bool fail(const Path& path, const Error& error) {
        return fail(path, std::string(error.code()), std::string(error.message()));
    }
    template <typename T>
    bool take(const Path& path, void* field, Result<T> value) {
        if (!value) return fail(path, value.error());
        *static_cast<T*>(field) = *std::move(value);
        return true;
    }

    bool value(void* field, const FieldOps& ops, const Json& json, const Path& path);
    bool record(void* record, const RecordInfo& info, const Json& json, const Path& path,
                std::span<const std::string_view> only);
    bool boolean(void* field, const Json& json, const Path& path);
    bool integer(void* field, const FieldOps& ops, const Json& json, const Path& path);
    bool number(void* field, const Json& json, const Path& path);
    bool money(void* field, const Json& json, const Path& path);
    bool enumeration(void* field, const FieldOps& ops, const Json& json, const Path& path);
    bool optional(void* field, const FieldOps& ops, const Json& json, const Path& path);
    bool vector(void* field, const FieldOps& ops, const Json& json, const Path& path);
    bool unknown(const RecordInfo& info, std::string_view key, const Path& path,
                 std::span<const std::string_view> only);
    bool is_text(const Json& json) const { return options.from_text && json.is_string(); }
};

template <typename T>
std::optional<T> parse_number(std::string_view text) {
    text = trim(text);
    T value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

struct Range {
    std::int64_t low;
    std::int64_t high;
};
Range range_of(FieldKind kind) {
    switch (kind) {
        case FieldKind::int32:
            return {INT32_MIN, INT32_MAX};
        case FieldKind::uint16:
            return {0, UINT16_MAX};
        case FieldKind::uint32:
            return {0, UINT32_MAX};
        case FieldKind::uint64:
            return {0, INT64_MAX};
        default:
            return {INT64_MIN, INT64_MAX};
    }
}

bool Reader::boolean(void* field, const Json& json, const Path& path) {
    if (json.is_bool()) {
        *static_cast<bool*>(field) = json.as_bool();
        return true;
    }
    if (is_text(json)) {
        const std::string text = to_lower(trim(json.as_string()));
        const bool yes = text == "true" || text == "1" || text == "on" || text == "yes";
        if (yes || text == "false" || text == "0" || text == "off" || text == "no") {
            *static_cast<bool*>(field) = yes;
            return true;
        }
    }
    return fail(path, "type", "must be true or false");
}

bool Reader::integer(void* field, const FieldOps& ops, const Json& json, const Path& path) {
    const Range range = range_of(ops.kind);
    const auto outside = [&] {
        return fail(
            path, "out_of_range",
            "must be between " + std::to_string(range.low) + " and " + std::to_string(range.high));
    };
    std::int64_t value = 0;
    if (json.is_int()) {
        value = json.as_int();
    } else if (json.is_number()) {
        const double number = json.as_double();
        if (std::trunc(number) != number) return fail(path, "type", "must be a whole number");
        if (!(number >= -0x1p63 && number < 0x1p63)) return outside();
        value = static_cast<std::int64_t>(number);
    } else if (is_text(json)) {
        const std::string_view text = trim(json.as_string());
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (text.empty() || end != text.data() + text.size()) {
            return fail(path, "type", "must be a whole number");
        }
        if (failure != std::errc()) return outside();
    } else {
        return fail(path, "type", "must be a whole number");
    }
    if (value < range.low || value > range.high) return outside();
    store_integer(field, ops, value);
    return true;
}

bool Reader::number(void* field, const Json& json, const Path& path) {
    std::optional<double> value = json.get<double>();
    if (!value && is_text(json)) value = parse_number<double>(json.as_string());
    if (!value || !std::isfinite(*value)) return fail(path, "type", "must be a number");
    *static_cast<double*>(field) = *value;
    return true;
}

bool Reader::money(void* field, const Json& json, const Path& path) {
    if (json.is_int()) return take(path, field, money_from(json.as_int()));
    if (json.is_number()) return take(path, field, money_from(json.as_double()));
    if (is_text(json)) return take(path, field, parse_money(json.as_string()));
    return fail(path, "type", "must be an amount such as 1299.50");
}

bool Reader::enumeration(void* field, const FieldOps& ops, const Json& json, const Path& path) {
    if (!json.is_string()) return fail(path, "type", "must be text");
    const EnumInfo& info = ops.enum_info();
    const EnumInfo::Enumerator* found = info.find(json.as_string());
    if (!found) return fail(path, "not_one_of", "must be one of: " + info.names());
    store_integer(field, ops, found->value);
    return true;
}

bool Reader::optional(void* field, const FieldOps& ops, const Json& json, const Path& path) {
    const bool blank =
        is_text(json) && ops.inner->kind != FieldKind::json && trim(json.as_string()).empty();
    if (json.is_null() || blank) {
        ops.container->clear(field);
        return true;
    }
    return value(ops.container->emplace(field), *ops.inner, json, path);
}

bool Reader::vector(void* field, const FieldOps& ops, const Json& json, const Path& path) {
    if (!json.is_array()) return fail(path, "type", "must be a list");
    ops.container->clear(field);
    bool good = true;
    std::size_t index = 0;
    for (const Json& item : json.as_array()) {
        const Path at{&path, {}, index++};
        good &= value(ops.container->emplace(field), *ops.inner, item, at);
    }
    return good;
}

bool Reader::value(void* field, const FieldOps& ops, const Json& json, const Path& path) {
    if (ops.kind == FieldKind::json) {
        *static_cast<Json*>(field) = json;
        return true;
    }
    if (ops.kind == FieldKind::optional) return optional(field, ops, json, path);
    if (json.is_null()) return fail(path, "required", "is required");

    const auto text = [&](std::string_view message) {
        return json.is_string() || fail(path, "type", std::string(message));
    };
    switch (ops.kind) {
        case FieldKind::boolean:
            return boolean(field, json, path);
        case FieldKind::int32:
        case FieldKind::int64:
        case FieldKind::uint16:
        case FieldKind::uint32:
        case FieldKind::uint64:
            return integer(field, ops, json, path);
        case FieldKind::number:
            return number(field, json, path);
        case FieldKind::money:
            return money(field, json, path);
        case FieldKind::string:
            if (!text("must be text")) return false;
            static_cast<std::string*>(field)->assign(json.as_string());
            return true;
        case FieldKind::secret:
            if (!text("must be text")) return false;
            *static_cast<Secret*>(field) = Secret(std::string(json.as_string()));
            return true;
        case FieldKind::uuid:
            return text("must be a UUID") && take(path, field, parse_id(json.as_string()));
        case FieldKind::timestamp:
            return text("must be a time such as 2026-01-31T09:05:00Z") &&
                   take(path, field, parse_timestamp(json.as_string()));
        case FieldKind::date:
            return text("must be a date such as 2026-01-31") &&
                   take(path, field, parse_date(json.as_string()));
        case FieldKind::duration:
            return text("must be a duration such as 250ms, 30s or 5m") &&
                   take(path, field, parse_duration(json.as_string()));
        case FieldKind::enumeration:
            return enumeration(field, ops, json, path);
        case FieldKind::vector:
            return vector(field, ops, json, path);
        case FieldKind::record:
            return record(field, ops.record(), json, path, {});
        case FieldKind::json:
        case FieldKind::optional:
            break;
    }
    return false;
}

bool Reader::unknown(const RecordInfo& info, std::string_view key, const Path& path,
                     std::span<const std::string_view> only) {
    if (options.unknown == Unknown::ignore) return true;
    std::vector<std::string_view> names(only.begin(), only.end());
    if (names.empty()) {
        for (const Field& field : info.fields) names.push_back(field.name);
    }
    std::string message = "is not a known field";
    const std::string_view close = closest_name(key, names);
    if (!close.empty()) message.append("; did you mean ").append(close).append("?");
    return fail(Path{&path, key}, "unknown", std::move(message));
}

bool Reader::record(void* record, const RecordInfo& info, const Json& json, const Path& path,
                    std::span<const std::string_view> only) {
    if (!json.is_object()) return fail(path, "type", "must be an object");
    const auto allowed = [only](const Field& field) {
        return only.empty() || std::ranges::find(only, field.name) != only.end();
    };
    bool good = true;
    std::uint64_t seen = 0;  // BENNU_RECORD takes at most 64 members
    for (const JsonMember& member : json.as_object()) {
        const Field* field = info.find(member.key);
        if (!field || !allowed(*field)) {
            good &= unknown(info, member.key, path, only);
            continue;
        }
        seen |= std::uint64_t{1} << (field - info.fields.data());
        good &= value(field->of(record), *field->ops, member.value, Path{&path, field->name});
    }
    if (options.absent == Absent::keep) return good;
    for (std::size_t i = 0; i < info.fields.size(); ++i) {
        const Field& field = info.fields[i];
        const FieldKind kind = field.ops->kind;
        if (seen >> i & 1 || !allowed(field) || kind == FieldKind::optional ||
            kind == FieldKind::vector || kind == FieldKind::json) {
            continue;
        }
        good = fail(Path{&path, field.name}, "required", "is required");
    }
    return good;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

Result<> read_json(void* record, const RecordInfo& info, const Json& object,
                   const ReadOptions& options) {
    std::vector<FieldError> errors;
    Reader reader{options, errors};
    if (reader.record(record, info, object, Path{nullptr, options.path}, options.only)) return {};
    return Error::invalid(std::move(errors));
}

bool read_field(void* field, const FieldOps& ops, const Json& json, const ReadOptions& options,
                std::string_view path, std::vector<FieldError>& errors) {
    return Reader{options, errors}.value(field, ops, json, Path{nullptr, path});
}

Result<> set_text(void* field, const FieldOps& ops, std::string_view name, std::string_view text) {
    std::vector<FieldError> errors;
    if (read_field(field, ops, Json(text), {.from_text = true}, name, errors)) return {};
    return Error::invalid(std::move(errors));
}

std::string_view closest_name(std::string_view name, std::span<const std::string_view> candidates) {
    constexpr std::size_t longest = 64;
    std::string_view best;
    std::size_t least = std::min<std::size_t>(2, name.size() / 2) + 1;
    if (name.size() > longest) return best;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < least) {
            least = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace bennu
