#pragma once

#include <span>
#include <string_view>

namespace bennu {

/// One file inside the program; a variant that was not made (because it would not be smaller) is
/// empty.
struct EmbeddedFile {
    std::string_view path;  ///< relative to the folder, with slashes
    std::string_view bytes;
    std::string_view gzip;
    std::string_view brotli;
    std::string_view zstd;
};

/// What `bennu_embed(target NAME ns DIR folder)` makes: `ns()` gives it.
using EmbeddedFolder = std::span<const EmbeddedFile>;

}  // namespace bennu
