#include "bennu/data/changeset.hpp"

#include <algorithm>

namespace bennu::data {

std::uint64_t ChangeState::bit(const Field& field) const {
    return std::uint64_t{1} << (&field - record->fields.data());
}

bool ChangeState::has_error(const Field& field) const {
    const std::string name = path + std::string(field.name);
    return std::ranges::any_of(errors, [&](const FieldError& error) {
        return error.field == name ||
               (error.field.starts_with(name) && error.field[name.size()] == '.');
    });
}

void ChangeState::add_error(const Field& field, std::string code, std::string message) {
    if (has_error(field)) return;
    errors.push_back({path + std::string(field.name), std::move(code), std::move(message)});
}

std::vector<const Field*> ChangeState::changed_fields() const {
    std::vector<const Field*> fields;
    for (const Field& field : record->fields) {
        if (is_changed(field)) fields.push_back(&field);
    }
    return fields;
}

void note_change(ChangeState& state, const Field& field, const void* before, const void* after) {
    if (!field_equal(before, after, *field.ops)) state.changed |= state.bit(field);
}

ChangeState cast_params(void* record, const RecordInfo& info, const Json& params,
                        std::span<const Field* const> allowed, const ChangeOptions& options) {
    ChangeState state;
    state.record = &info;
    state.path = options.path;

    // The values of before, to tell what changed.
    const std::unique_ptr<void, void (*)(void*)> before(
        ::operator new(info.size), [](void* memory) { ::operator delete(memory); });
    info.construct(before.get());
    const std::unique_ptr<void, void (*)(void*) noexcept> contents(before.get(), info.destroy);
    info.assign(before.get(), record);

    std::vector<std::string_view> names;
    for (const Field* field : allowed) names.push_back(field->name);
    ReadOptions read{.unknown = options.unknown,
                     .absent = Absent::keep,
                     .only = names,
                     .from_text = options.from_text,
                     .path = options.path};
    // An empty `only` would mean every field.
    const std::string_view nothing[] = {std::string_view()};
    if (allowed.empty()) read.only = nothing;
    if (Result<> done = read_json(record, info, params, read); !done) {
        state.errors = done.error().fields();
        if (state.errors.empty()) {
            state.errors.push_back({options.path, std::string(done.error().code()),
                                    std::string(done.error().message())});
        }
    }
    for (const Field* field : allowed) {
        if (params.find(field->name)) state.given |= state.bit(*field);
        if (!state.has_error(*field)) {
            note_change(state, *field, field->of(before.get()), field->of(record));
        } else {
            state.changed |= state.bit(*field);
        }
    }
    return state;
}

bool wants_check(const Field& field, const ChangeState& state) {
    return state.is_changed(field) && !state.has_error(field);
}

std::string value_text(const void* value, const FieldOps& ops) {
    std::string text;
    write_json(text, value, ops);
    if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
    return text;
}

namespace {

/// The value of a field, or nullptr when it is an absent optional.
const void* present_value(const void* record, const Field& field) {
    const void* place = field.of(record);
    if (!field.ops->is_optional()) return place;
    return field.ops->container->size(place) ? field.ops->container->at(place, 0) : nullptr;
}

bool is_blank(const std::string& text) {
    return text.find_first_not_of(" \t\r\n\v\f") == std::string::npos;
}

bool is_missing(const void* value, const FieldOps& ops) {
    switch (ops.kind) {
        case FieldKind::string:
            return is_blank(*static_cast<const std::string*>(value));
        case FieldKind::secret:
            return static_cast<const Secret*>(value)->empty();
        case FieldKind::uuid:
            return static_cast<const Id*>(value)->is_nil();
        case FieldKind::json:
            return static_cast<const Json*>(value)->is_null();
        case FieldKind::vector:
            return ops.container->size(value) == 0;
        default:
            return false;
    }
}

std::size_t code_points(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

void check_required(const void* record, const Field& field, ChangeState& state) {
    const void* value = present_value(record, field);
    if (!value || is_missing(value, field.ops->value())) {
        state.add_error(field, "required", "can't be blank");
    }
}

void check_length(const void* record, const Field& field, Length length, ChangeState& state) {
    const void* value = present_value(record, field);
    if (!value || !wants_check(field, state)) return;
    const FieldOps& ops = field.ops->value();
    const bool list = ops.kind == FieldKind::vector;
    const std::size_t size =
        list ? ops.container->size(value)
             : code_points(ops.kind == FieldKind::secret
                               ? static_cast<const Secret*>(value)->reveal()
                               : std::string_view(*static_cast<const std::string*>(value)));
    const char* unit = list ? " item(s)" : " character(s)";
    if (size < length.min) {
        state.add_error(field, "too_short",
                        (list ? "should have at least " : "should be at least ") +
                            std::to_string(length.min) + unit);
    } else if (size > length.max) {
        state.add_error(field, "too_long",
                        (list ? "should have at most " : "should be at most ") +
                            std::to_string(length.max) + unit);
    }
}

}  // namespace bennu::data
