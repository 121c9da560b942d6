#include <algorithm>
#include <filesystem>
#include <fstream>

#include "bennu/base/ascii.hpp"
#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/web/compress.hpp"
#include "bennu/web/content_type.hpp"
#include "bennu/web/static_set.hpp"

namespace bennu::detail {

namespace {

/// What the kernel sends by itself is not copied, which pays for a call of its own from here on.
constexpr std::size_t worth_a_descriptor = 32 * 1024;
constexpr std::size_t most_descriptors = 100;

constexpr std::pair<std::string_view, std::string LoadedFile::*> codings[] = {
    {".br", &LoadedFile::brotli},
    {".zst", &LoadedFile::zstd},
    {".gz", &LoadedFile::gzip},
};

bool is_digest(std::string_view text) {
    if (text.size() < 8) return false;
    // Words are all lower case; a digest is not, but for a freak whose file is merely revalidated.
    bool telling = false;
    for (char c : text) {
        if (!is_ascii_alpha(c) && !is_ascii_digit(c) && c != '_' && c != '-') return false;
        telling = telling || is_ascii_digit(c) || (c >= 'A' && c <= 'Z');
    }
    return telling;
}

void add_variant(StaticFiles::File& file, std::string_view coding, std::string bytes) {
    StaticFiles::File::Variant variant;
    variant.coding = coding;
    std::string digest = base64url_encode(as_text(sha256(bytes))).substr(0, 22);
    variant.etag = "\"" + digest + "\"";
    variant.bytes = make_shared_value<std::string>(std::move(bytes));
    file.variants.push_back(std::move(variant));
}

void write_headers(StaticFiles::File& file) {
    for (auto& variant : file.variants) {
        net::Headers& headers = variant.headers;
        headers.add("content-type", content_type_of(file.path));
        headers.add("cache-control",
                    file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
        headers.add("etag", variant.etag);
        if (file.variants.size() > 1) headers.add("vary", "accept-encoding");
        if (variant.coding != "identity") headers.add("content-encoding", variant.coding);
    }
}

Result<std::string> read_whole(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) return Error(ErrorKind::io, "unreadable", "cannot read " + path.string());
    return bytes;
}

/// Moves `x.js.br` into `x.js`, where there is one.
void merge_variants(std::vector<LoadedFile>& files) {
    auto find = [&](std::string_view path) {
        auto at = std::ranges::lower_bound(files, path, {}, &LoadedFile::path);
        return at != files.end() && at->path == path ? &*at : nullptr;
    };
    for (LoadedFile& file : files) {
        for (auto [ending, member] : codings) {
            std::string_view path = file.path;
            if (!path.ends_with(ending)) continue;
            if (LoadedFile* plain = find(path.substr(0, path.size() - ending.size()))) {
                plain->*member = std::move(file.bytes);
                file.bytes.clear();
                file.path += '\0';  // marked: no path of a folder ends in NUL
            }
        }
    }
    std::erase_if(files, [](const LoadedFile& file) { return file.path.ends_with('\0'); });
}

}  // namespace

bool is_servable(std::string_view path) {
    while (!path.empty()) {
        std::string_view segment = path.substr(0, path.find('/'));
        if (segment.starts_with('.') && segment != ".well-known") return false;
        path.remove_prefix(std::min(segment.size() + 1, path.size()));
    }
    return true;
}

bool has_digest(std::string_view path) {
    std::string_view name = path.substr(path.rfind('/') + 1);
    // `index-DIGEST.js.map` carries the digest of its script.
    if (name.ends_with(".map")) name.remove_suffix(4);
    std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return false;
    std::string_view stem = name.substr(0, dot);
    std::size_t mark = stem.find_last_of("-.");
    if (mark != std::string_view::npos && is_digest(stem.substr(mark + 1))) return true;
    // Vite's eight characters may hold a hyphen themselves.
    return stem.size() > 9 && stem[stem.size() - 9] == '-' &&
           is_digest(stem.substr(stem.size() - 8));
}

StaticFiles::File make_static_file(LoadedFile loaded, const StaticOptions& options) {
    StaticFiles::File file;
    file.path = std::move(loaded.path);
    file.index = !options.index.empty() &&
                 (file.path == options.index || file.path.ends_with("/" + options.index));
    file.immutable = has_digest(file.path) &&
                     std::ranges::any_of(options.immutable_under, [&](const std::string& folder) {
                         return file.path.starts_with(folder);
                     });
    if (options.compress && compressible(file.path) && loaded.bytes.size() > 256) {
        if (loaded.brotli.empty()) loaded.brotli = brotli_compress(loaded.bytes, Effort::quick);
        if (loaded.gzip.empty()) loaded.gzip = gzip_compress(loaded.bytes, Effort::quick);
    }
    std::size_t whole = loaded.bytes.size();
    add_variant(file, "identity", std::move(loaded.bytes));
    auto offer = [&](std::string_view coding, std::string& bytes) {
        if (!bytes.empty() && bytes.size() < whole) add_variant(file, coding, std::move(bytes));
    };
    offer("br", loaded.brotli);
    offer("zstd", loaded.zstd);
    offer("gzip", loaded.gzip);
    write_headers(file);
    return file;
}

Result<std::vector<LoadedFile>> load_folder(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code failure;
    if (!fs::is_directory(path, failure)) {
        return Error(ErrorKind::not_found, "no_folder", "there is no folder " + path);
    }
    std::vector<LoadedFile> files;
    for (fs::recursive_directory_iterator at(path, failure), end; !failure && at != end;
         at.increment(failure)) {
        if (!fs::is_regular_file(at->symlink_status())) continue;
        std::string name = at->path().lexically_relative(path).generic_string();
        if (!is_servable(name)) continue;
        auto bytes = read_whole(at->path());
        if (!bytes) return std::move(bytes).error();
        files.push_back({std::move(name), *std::move(bytes), {}, {}, {}});
    }
    if (failure) return Error(ErrorKind::io, "unreadable", path + ": " + failure.message());
    std::ranges::sort(files, {}, &LoadedFile::path);
    merge_variants(files);
    return files;
}

void keep_in_kernel(std::vector<StaticFiles::File>& files) {
    std::vector<StaticFiles::File::Variant*> longest;
    for (StaticFiles::File& file : files) {
        if (file.variants.size() == 1 && compressible(file.path)) continue;
        for (auto& variant : file.variants) {
            if (variant.bytes->size() >= worth_a_descriptor) longest.push_back(&variant);
        }
    }
    std::ranges::sort(longest, std::greater(),
                      [](auto* variant) { return variant->bytes->size(); });
    if (longest.size() > most_descriptors) longest.resize(most_descriptors);
    for (auto* variant : longest) {
        if (auto file = net::OpenFile::of(*variant->bytes)) variant->file = *std::move(file);
    }
}

}  // namespace bennu::detail
