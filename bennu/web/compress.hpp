#pragma once

#include <string>
#include <string_view>

namespace bennu {

/// How hard to try: once at build time, or at start.
enum class Effort : unsigned char { quick, best };

/// Whole texts, compressed. Block: seconds for megabytes at `best`.
std::string gzip_compress(std::string_view text, Effort effort);
std::string brotli_compress(std::string_view text, Effort effort);
std::string zstd_compress(std::string_view text, Effort effort);

/// Whether a file of that name is worth compressing (text of all sorts, fonts that are not
/// compressed already).
bool compressible(std::string_view file_name);

}  // namespace bennu
