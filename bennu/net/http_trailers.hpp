#pragma once

#include <string_view>

namespace bennu::net {

/// Whether a field means something behind a body: what decides about framing, routing or access
/// does not (RFC 9110, 6.5.1). Requests' other fields are dropped.
bool may_trail(std::string_view name);

/// The same of answers, where also fields that a client acts on before the body do not.
bool may_trail_answer(std::string_view name);

}  // namespace bennu::net
