#pragma once

#include <initializer_list>
#include <string_view>

#include "bennu/data/filters.hpp"
#include "bennu/web/conn.hpp"

namespace assetronics::web {

/// The parameters of the query string, decoded, in order; brackets stay in the names. Malformed:
/// 400.
bennu::QueryParams query_params(const bennu::Conn& conn);
/// Refuses parameters that are not named: 400 with code `unknown`.
void allow_query(const bennu::Conn& conn, std::initializer_list<std::string_view> names);
/// `page` and `page_size`, and no other parameter.
bennu::PageRequest page_params(const bennu::Conn& conn);

/// The body, which must be a JSON object: 415, 400, 413, 422. No body at all is an empty one.
bennu::Json json_object(const bennu::Conn& conn);
/// Answers an error of a list's parameters: 400 where it names fields.
bennu::Response list_error(const bennu::Conn& conn, const bennu::Error& error);

}  // namespace assetronics::web
