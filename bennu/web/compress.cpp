#include "bennu/web/compress.hpp"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace bennu {

std::string gzip_compress(std::string_view text, Effort effort) {
    z_stream stream{};
    constexpr int gzip_window = 15 + 16;
    if (deflateInit2(&stream, effort == Effort::best ? 9 : 6, Z_DEFLATED, gzip_window, 9,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("zlib refused to start");
    }
    // The bound does not count the wrapper of gzip.
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    int outcome = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (outcome != Z_STREAM_END) throw std::runtime_error("zlib failed");
    return out;
}

std::string brotli_compress(std::string_view text, Effort effort) {
    std::string out(BrotliEncoderMaxCompressedSize(text.size()) + 16, '\0');
    std::size_t size = out.size();
    int quality = effort == Effort::best ? BROTLI_MAX_QUALITY : 5;
    if (!BrotliEncoderCompress(quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, text.size(),
                               reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                               reinterpret_cast<std::uint8_t*>(out.data()))) {
        throw std::runtime_error("brotli failed");
    }
    out.resize(size);
    return out;
}

std::string zstd_compress(std::string_view text, Effort effort) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    std::size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(),
                                     effort == Effort::best ? 19 : 3);
    if (ZSTD_isError(size)) throw std::runtime_error("zstd failed");
    out.resize(size);
    return out;
}

bool compressible(std::string_view file_name) {
    constexpr std::array<std::string_view, 18> endings = {
        ".html", ".htm", ".css", ".js",  ".mjs", ".json", ".map",  ".svg",         ".txt",
        ".xml",  ".csv", ".md",  ".ico", ".ttf", ".otf",  ".wasm", ".webmanifest", ".bmp"};
    for (std::string_view ending : endings) {
        if (file_name.ends_with(ending)) return true;
    }
    return false;
}

}  // namespace bennu
