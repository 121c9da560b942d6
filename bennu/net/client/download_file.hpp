#pragma once

#include "bennu/net/client/http_client.hpp"

namespace bennu::net {

struct DownloadOptions {
    /// Of the request. Its `timeout` is for the head, `idle_timeout` for each silence,
    /// `body_timeout` for the whole.
    RequestOptions request = {};
    /// Bytes of the file; over: `too_large`, before anything is written if the server says so.
    std::uint64_t most = std::uint64_t{1} << 30;
};

struct DownloadedFile {
    std::uint64_t bytes = 0;
    Headers headers = {};
    std::string url = {};  ///< after redirects
};

/// Asks for `url` and writes the answer to `file`, replacing what is there. It is written beside
/// it, under a name of its own, and renamed once it is whole and on the disk: no half file ever
/// stands under its name, and what was begun is removed however the call ends. Statuses other than
/// 200 are errors as those of `expect_success`; those of the file system are `io`.
Task<Result<DownloadedFile>> download_file(HttpClient client, std::string url, std::string file,
                                           DownloadOptions options = {});

}  // namespace bennu::net
