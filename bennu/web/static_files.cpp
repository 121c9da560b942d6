#include "bennu/web/static_files.hpp"

#include <algorithm>

#include "bennu/web/conditional.hpp"
#include "bennu/web/negotiation.hpp"
#include "bennu/web/static_set.hpp"

namespace bennu {

namespace {

using Variant = StaticFiles::File::Variant;

const Variant& choose_variant(const StaticFiles::File& file, std::string_view accept_encoding) {
    const Variant* best = &file.variants.front();
    if (file.variants.size() == 1 || accept_encoding.empty()) return *best;
    int best_quality = encoding_quality(accept_encoding, "identity");
    // Of equals the first wins, and the codings come before the plain bytes.
    for (std::size_t i = file.variants.size(); i-- > 1;) {
        int quality = encoding_quality(accept_encoding, file.variants[i].coding);
        if (quality > 0 && quality >= best_quality) {
            best = &file.variants[i];
            best_quality = quality;
        }
    }
    return *best;
}

}  // namespace

StaticFiles StaticFiles::embedded(const EmbeddedFolder& folder, StaticOptions options) {
    auto state = std::make_shared<State>();
    // What is worth compressing was compressed when the program was built.
    options.compress = false;
    for (const EmbeddedFile& file : folder) {
        if (!detail::is_servable(file.path)) continue;
        state->files.push_back(detail::make_static_file(
            {std::string(file.path), std::string(file.bytes), std::string(file.brotli),
             std::string(file.zstd), std::string(file.gzip)},
            options));
    }
    std::ranges::sort(state->files, {}, &File::path);
    detail::keep_in_kernel(state->files);
    state->options = std::move(options);
    return StaticFiles(std::move(state));
}

Result<StaticFiles> StaticFiles::directory(const std::string& path, StaticOptions options) {
    auto loaded = detail::load_folder(path);
    if (!loaded) return std::move(loaded).error();
    auto state = std::make_shared<State>();
    for (detail::LoadedFile& file : *loaded) {
        state->files.push_back(detail::make_static_file(std::move(file), options));
    }
    detail::keep_in_kernel(state->files);
    state->options = std::move(options);
    return StaticFiles(std::move(state));
}

const StaticFiles::File* StaticFiles::find(std::string_view path) const {
    auto lookup = [&](std::string_view name) -> const File* {
        auto at = std::ranges::lower_bound(state_->files, name, {}, &File::path);
        return at != state_->files.end() && at->path == name ? &*at : nullptr;
    };
    if (const File* file = lookup(path); file || state_->options.index.empty()) return file;
    std::string index(path);
    if (!index.empty()) index += '/';
    return lookup(index + state_->options.index);
}

std::size_t StaticFiles::size() const {
    return state_->files.size();
}

std::vector<std::string> StaticFiles::paths() const {
    std::vector<std::string> paths;
    for (const File& file : state_->files) paths.push_back(file.path);
    return paths;
}

Response StaticFiles::serve(const Conn& conn, const File& file) {
    const Variant& variant = choose_variant(file, conn.header("accept-encoding"));
    Response response;
    response.headers = variant.headers;
    if (variant.file) {
        response.body = net::FileBody{variant.file, 0, variant.bytes->size(), variant.bytes};
    } else {
        response.body = variant.bytes;
    }
    apply_conditions(conn, response);
    return response;
}

Response StaticFiles::serve_here(const Conn& conn, const File& file) {
    const std::string_view path = conn.path();
    const std::string_view name =
        std::string_view(file.path).substr(file.path.rfind('/') + 1);  // npos + 1 is 0
    if (!file.index || path.ends_with('/') || path.substr(path.rfind('/') + 1) == name) {
        return serve(conn, file);
    }
    std::string folder = std::string(path) + "/";
    if (!conn.query_string().empty()) folder.append("?").append(conn.query_string());
    return redirect(conn, folder, {.status = 301});
}

Response StaticFiles::serve(const Conn& conn, std::string_view path) const {
    const File* file = find(path);
    return file ? serve(conn, *file) : not_found(conn);
}

Action StaticFiles::page(std::string path) const {
    return [files = *this, path = std::move(path)](Conn conn) { return files.serve(conn, path); };
}

}  // namespace bennu
