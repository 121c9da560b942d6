#pragma once

#include <string_view>

namespace bennu {

/// The media type of a file by its extension, with a charset for text;
/// `application/octet-stream` when unknown.
std::string_view content_type_of(std::string_view file_name);

}  // namespace bennu
