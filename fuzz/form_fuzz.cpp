#include "bennu/net/url.hpp"
#include "fuzz/input.hpp"

using namespace bennu;

namespace {

struct Shape {
    std::size_t values = 0, depth = 0;
};

/// Forms hold texts, in objects and arrays, and nothing else.
Shape shape_of(const Json& json) {
    if (json.is_string()) return {1, 0};
    fuzz::require_that(json.is_object() || json.is_array(), "a form holds something but texts");
    Shape shape;
    auto add = [&](const Json& part) {
        Shape inner = shape_of(part);
        shape.values += inner.values;
        shape.depth = std::max(shape.depth, inner.depth + 1);
    };
    if (json.is_object()) {
        for (const JsonMember& member : json.as_object()) add(member.value);
    } else {
        for (const Json& element : json.as_array()) add(element);
    }
    return shape;
}

}  // namespace

/// The input is an urlencoded form; the first byte says how much of it is allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::CutInput input(data, size);
    const net::QueryLimits limits{.parameters = 1 + input.piece % 16, .depth = input.piece % 5};
    auto form = net::parse_query(input.bytes, limits);
    if (!form) {
        fuzz::require_that(!form.error().code().empty(), "a refusal without a code");
        return 0;
    }
    fuzz::require_that(form->is_object(), "a form that is no object");
    const Shape shape = shape_of(*form);
    fuzz::require_that(shape.values <= limits.parameters, "more parameters than allowed");
    // The key itself is one level, its brackets are those that count.
    fuzz::require_that(shape.depth <= limits.depth + 2, "deeper than allowed");
    const std::string encoded = net::encode_query(*form);
    auto again = net::parse_query(encoded, {.parameters = 1000, .depth = 16});
    fuzz::require_that(again.has_value(), "a form that we encoded is refused");
    auto third = net::parse_query(net::encode_query(*again), {.parameters = 1000, .depth = 16});
    fuzz::require_that(third && *third == *again, "encoding does not settle");
    return 0;
}
