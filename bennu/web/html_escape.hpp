#pragma once

#include <string>
#include <string_view>

namespace bennu {

/// Appends text so that it means itself between tags and inside quoted attributes.
void append_html(std::string& out, std::string_view text);

}  // namespace bennu
