#include "bennu/data/filters.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace bennu::data {

namespace {

struct Operator {
    std::string_view name;
    Compare compare;
};
constexpr Operator operators[] = {
    {"eq", Compare::eq},
    {"ne", Compare::ne},
    {"lt", Compare::lt},
    {"lte", Compare::le},
    {"gt", Compare::gt},
    {"gte", Compare::ge},
    {"in", Compare::in},
    {"null", Compare::is_null},
    {"contains", Compare::contains},
    {"starts_with", Compare::starts_with},
};

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t comma = text.find(',');
        parts.push_back(text.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

/// Reads the parameters of one request and collects what is wrong with them.
class FilterReader {
  public:
    FilterReader(QueryState& query, std::span<const Field* const> allowed,
                 const FilterOptions& options)
        : query_(query),
          allowed_(allowed),
          options_(options),
          scratch_(::operator new(query.schema->record().size)) {
        query.schema->record().construct(scratch_);
    }
    ~FilterReader() {
        query_.schema->record().destroy(scratch_);
        ::operator delete(scratch_);
    }
    FilterReader(const FilterReader&) = delete;
    FilterReader& operator=(const FilterReader&) = delete;

    void read(const std::string& key, const std::string& value) {
        if (key == "sort") return sort(value);
        if (key == "page") return number(key, value, 1, 1'000'000'000, page_.page);
        if (key == "page_size")
            return number(key, value, 1, options_.max_page_size, page_.page_size);
        if (std::ranges::find(options_.other, key) != options_.other.end()) return;
        filter(key, value);
    }
    Result<PageRequest> finish() {
        for (auto& [field, values] : equal_) {
            const Compare compare = values.size() == 1 ? Compare::eq : Compare::in;
            query_.add(Condition::comparing(*field, compare, std::move(values)));
        }
        if (!errors_.empty()) return Error::invalid(std::move(errors_));
        return page_;
    }
    PageRequest& page() { return page_; }

  private:
    void fail(std::string_view field, std::string code, std::string message) {
        errors_.push_back({std::string(field), std::move(code), std::move(message)});
    }
    const Field* find(std::string_view name) const {
        for (const Field* field : allowed_) {
            if (field->name == name) return field;
        }
        return nullptr;
    }
    void sort(std::string_view list) {
        for (std::string_view each : split(list)) {
            Direction direction = Direction::ascending;
            if (each.starts_with('-')) {
                direction = Direction::descending;
                each.remove_prefix(1);
            }
            if (const Field* field = find(each)) {
                query_.order.push_back({field, direction});
            } else {
                fail("sort", "unknown",
                     "there is no field \"" + std::string(each) + "\" to sort by");
            }
        }
    }
    void number(const std::string& key, std::string_view text, std::int64_t low, std::int64_t high,
                std::int64_t& into) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
        if (error != std::errc() || end != text.data() + text.size() || into < low || into > high) {
            fail(key, "out_of_range",
                 "must be a number from " + std::to_string(low) + " to " + std::to_string(high));
        }
    }
    void filter(std::string_view key, std::string_view text) {
        std::string_view op;
        std::string_view name = key;
        if (const std::size_t open = key.find('['); open != key.npos && key.ends_with(']')) {
            name = key.substr(0, open);
            op = key.substr(open + 1, key.size() - open - 2);
        }
        const Field* field = find(name);
        if (!field) return fail(key, "unknown", "is not a field that can be filtered by");
        if (op.empty()) {
            for (std::string_view each : split(text)) add(equal_[field], *field, key, each);
            return;
        }
        const Operator* found = std::ranges::find(operators, op, &Operator::name);
        if (found == std::end(operators)) {
            return fail(key, "invalid_operator", "\"" + std::string(op) + "\" is not an operator");
        }
        compare(*field, key, found->compare, text);
    }
    void compare(const Field& field, std::string_view key, Compare compare, std::string_view text) {
        if (compare == Compare::is_null) {
            if (text != "true" && text != "false") {
                return fail(key, "invalid", "must be true or false");
            }
            Condition condition = Condition::comparing(field, compare, {});
            query_.add(text == "true" ? std::move(condition)
                                      : Condition::negated(std::move(condition)));
            return;
        }
        const bool textual = compare == Compare::contains || compare == Compare::starts_with;
        if (textual && field.ops->value().kind != FieldKind::string) {
            return fail(key, "invalid_operator", "only text can be searched in");
        }
        std::vector<Value> values;
        if (compare == Compare::in) {
            for (std::string_view each : split(text)) add(values, field, key, each);
        } else {
            add(values, field, key, text);
        }
        if (!values.empty()) query_.add(Condition::comparing(field, compare, std::move(values)));
    }
    /// Reads one value as the column's type.
    void add(std::vector<Value>& values, const Field& field, std::string_view key,
             std::string_view text) {
        const FieldOps& ops = field.ops->value();
        if (ops.kind == FieldKind::vector || ops.kind == FieldKind::record ||
            ops.kind == FieldKind::json || ops.kind == FieldKind::secret) {
            return fail(key, "invalid_operator", "cannot be compared");
        }
        void* place = field.of(scratch_);
        if (field.ops->is_optional()) place = field.ops->container->emplace(place);
        if (read_field(place, ops, Json(text), {.from_text = true}, key, errors_)) {
            values.push_back(get_value(place, ops));
        }
    }

    QueryState& query_;
    std::span<const Field* const> allowed_;
    const FilterOptions& options_;
    void* scratch_;
    std::map<const Field*, std::vector<Value>> equal_;
    std::vector<FieldError> errors_;
    PageRequest page_;
};

}  // namespace

Result<PageRequest> apply_filters(QueryState& query, const QueryParams& params,
                                  std::span<const Field* const> allowed,
                                  const FilterOptions& options) {
    FilterReader reader(query, allowed, options);
    reader.page().page_size = options.default_page_size;
    for (const auto& [key, value] : params) reader.read(key, value);
    return reader.finish();
}

}  // namespace bennu::data
