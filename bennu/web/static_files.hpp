#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/web/embedded.hpp"
#include "bennu/web/plug.hpp"

namespace bennu {

struct StaticOptions {
    /// Folders whose files carry a digest in their name (`name-DIGEST.ext`, as Vite and the like
    /// write them) and are cached for ever; every other file is revalidated on each use.
    std::vector<std::string> immutable_under = {"assets/"};
    /// Answers for a folder.
    std::string index = "index.html";
    /// Also make the compressed variants that were not found beside a file. Slow; for folders.
    bool compress = true;
};

/// A set of files, read into memory at start and never again: what a request names is looked up in
/// that set, so that no path can lead outside. Hidden files (a segment that begins with a dot, but
/// for `.well-known`) and symbolic links are not in it. Serves strong ETags, 304, and the variant
/// (`br`, `zstd`, `gzip`) that the client prefers. Copies share the set.
class StaticFiles {
  public:
    struct File;

    /// Files that `bennu_embed` put into the program.
    static StaticFiles embedded(const EmbeddedFolder& folder, StaticOptions options = {});
    /// Reads a folder. Blocks: call it before the runtime starts, or in an offload. A missing
    /// folder is `not_found`.
    static Result<StaticFiles> directory(const std::string& path, StaticOptions options = {});

    /// The file at a path without a leading slash, or the index of that folder; nullptr when there
    /// is none.
    const File* find(std::string_view path) const;
    std::size_t size() const;
    std::vector<std::string> paths() const;

    /// Answers GET and HEAD with the file, whole or as 304.
    static Response serve(const Conn& conn, const File& file);
    /// The same at the path that was asked for, where the set is mounted: a folder without the
    /// slash at its end is 301 to the path with it, so that what its index links to relatively is
    /// found.
    static Response serve_here(const Conn& conn, const File& file);
    /// The same for a path of the set; 404 when it is not there.
    Response serve(const Conn& conn, std::string_view path) const;
    /// An action that always answers with one file: the page of a single-page app. A file that is
    /// not there answers 404.
    Action page(std::string path) const;

  private:
    struct State;
    explicit StaticFiles(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

}  // namespace bennu
