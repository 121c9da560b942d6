#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/json.hpp"
#include "bennu/base/result.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu {

namespace detail {
class UploadFile;
}

/// What a route with files takes (`RouteOptions::uploads`). The body as a whole is limited by
/// `RouteOptions::body_limit`, and the disk by `EndpointOptions::upload_space`.
struct UploadOptions {
    std::uint64_t file_bytes = UINT64_MAX;  ///< of one file; over: 413 `too_large` with its field
    std::size_t parts = 128;                ///< files and fields; over: 413 `too_many_parts`
    std::size_t fields = 100;               ///< that are no files; over: 413 `too_many_fields`
    std::size_t field_bytes = 64 * 1024;    ///< of one of them; over: 413 `too_large` with its name
    std::size_t header_bytes = 4 * 1024;    ///< of a part; over: 413 `part_headers_too_large`
    /// Content types of bodies that are a file themselves (`curl --data-binary`), which is then
    /// found under the name `body`. Parameters of the type do not count; an empty body is none.
    std::vector<std::string> body_types = {};
};

/// One file that a client sent. The names and the type are what the client claims.
///
/// On a route with `uploads` it is on disk, under `path`, until its owner is gone: that is the
/// request, however it ends, or whoever moved this object out of it. Moving it into a message or a
/// job gives it away; `move_to` keeps it for good. On other routes its bytes are in `data`.
class Upload {
  public:
    Upload() = default;
    Upload(Upload&&) = default;
    Upload& operator=(Upload&&) = default;
    Upload(const Upload&) = delete;
    Upload& operator=(const Upload&) = delete;

    std::string name;  ///< of the form's field
    std::string filename;
    std::string content_type;  ///< empty when not given
    std::uint64_t size = 0;
    std::string path;  ///< of the file on disk; empty when the bytes are in `data`
    std::string data;

    /// Makes it a file of the program's own, readable by its user alone, which nobody removes:
    /// `path` is then `target`. Replaces what is there; on another file system it is copied. Not
    /// synced. A move that has begun is finished even if the caller is cancelled.
    Task<Result<>> move_to(std::string target);
    /// The whole content; `too_large` over `limit` bytes.
    Task<Result<std::string>> read(std::uint64_t limit);

  private:
    friend class UploadAccess;
    std::shared_ptr<detail::UploadFile> file_;
};

struct MultipartForm {
    Json fields = Json::object();  ///< nested by brackets, as in a query
    std::vector<Upload> files;
};

/// Reads a whole body; files are in memory. A file field without a chosen file is left out.
Result<MultipartForm> read_multipart(std::string_view content_type, std::string_view body);

}  // namespace bennu
