#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bennu/data/page.hpp"

namespace bennu {

/// A query string's parameters, decoded, in order.
using QueryParams = std::vector<std::pair<std::string, std::string>>;

struct FilterOptions {
    /// Parameters that mean something else (`q`); they are passed over.
    std::vector<std::string> other = {};
    std::int64_t default_page_size = 50;
    std::int64_t max_page_size = 100;
};

/// What a list request asks for.
template <Stored T>
struct ListRequest {
    Query<T> query;
    PageRequest page;
};

namespace data {
/// Adds what the parameters ask for to the query.
Result<PageRequest> apply_filters(QueryState& query, const QueryParams& params,
                                  std::span<const Field* const> allowed,
                                  const FilterOptions& options);
}  // namespace data

/// Reads `status=assigned&status=in_stock,in_repair&cost[gte]=100&sort=-updated_at,tag&page=2&
/// page_size=100` for these fields, each value typed by its column. Operators: none or `eq` (commas
/// and repetition mean "one of"), `ne`, `lt`, `lte`, `gt`, `gte`, `in`, `contains`, `starts_with`,
/// `null` (true/false). Anything unknown or malformed is an error with the parameter's name: codes
/// `unknown`, `invalid_operator`, and those of reading a record's field.
template <Stored T>
Result<ListRequest<T>> parse_filters(const QueryParams& params, const Fields<T>& allowed,
                                     const FilterOptions& options = {}) {
    ListRequest<T> request;
    Result<PageRequest> page =
        data::apply_filters(request.query.mutable_state(), params, allowed.list(), options);
    if (!page) return std::move(page).error();
    request.page = *page;
    return request;
}

}  // namespace bennu
