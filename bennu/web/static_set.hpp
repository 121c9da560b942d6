#pragma once

#include "bennu/web/static_files.hpp"

namespace bennu {

/// One file in memory, in every coding that it has. Private to this area.
struct StaticFiles::File {
    struct Variant {
        std::string_view coding;  ///< `identity`, `br`, `zstd`, `gzip`
        Shared<std::string> bytes;
        std::shared_ptr<const net::OpenFile> file = {};  ///< the same bytes, if the kernel has them
        std::string etag;
        net::Headers headers;  ///< of a 200
    };
    std::string path;
    bool immutable = false;
    bool index = false;             ///< answers for its folder
    std::vector<Variant> variants;  ///< `identity` first, then from best to worst
};

struct StaticFiles::State {
    std::vector<File> files;  ///< sorted by path
    StaticOptions options;
};

namespace detail {

/// Bytes of one file, as a loader found them.
struct LoadedFile {
    std::string path;
    std::string bytes;
    std::string brotli, zstd, gzip;  ///< empty: none
};

/// No segment of the path begins with a dot (but for `.well-known`).
bool is_servable(std::string_view path);
/// The file's name carries a digest: `index-B4rxY9zQ.js`, `app.3f2a91cc.css`.
bool has_digest(std::string_view path);
StaticFiles::File make_static_file(LoadedFile file, const StaticOptions& options);
Result<std::vector<LoadedFile>> load_folder(const std::string& path);
/// Gives the kernel the longest of them, so that sending one does not copy it. Not those that may
/// still be compressed for a client.
void keep_in_kernel(std::vector<StaticFiles::File>& files);

}  // namespace detail

}  // namespace bennu
