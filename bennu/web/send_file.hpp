#pragma once

#include <string>

#include "bennu/web/download.hpp"

namespace bennu {

struct FileOptions {
    /// Empty: from the file's name.
    std::string content_type = {};
    /// Set: the browser saves the file under this name, or shows it sandboxed (`send_download`).
    std::string filename = {};
    Disposition disposition = Disposition::attachment;
    std::string cache_control = "private, no-cache";
};

/// Answers with a file of the file system, opened off the shard and sent by the kernel where it
/// can: with ETag and Last-Modified, conditions and ranges. A path that people typed has no place
/// here. 404 when it is no regular file.
Task<Response> send_file(Conn conn, std::string path, FileOptions options = {});

}  // namespace bennu
