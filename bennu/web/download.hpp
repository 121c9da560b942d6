#pragma once

#include <string>
#include <string_view>

#include "bennu/web/conn.hpp"

namespace bennu {

enum class Disposition : std::uint8_t { attachment, inline_ };

/// The value of a Content-Disposition header (RFC 6266). A name that is not plain ASCII goes along
/// in both forms: `filename` for old clients, `filename*` in UTF-8. Slashes, backslashes and
/// control characters, which no file name has, become `_`.
std::string content_disposition(Disposition disposition, std::string_view filename);

struct DownloadOptions {
    std::string filename;
    /// Empty: from the file name.
    std::string content_type = {};
    Disposition disposition = Disposition::attachment;
};

/// A file to save (or, `inline_`, to show). Whatever it holds, browsers will not run it as a page
/// of this site: `nosniff`, and a policy that sandboxes documents.
Response send_download(const Conn& conn, std::string body, DownloadOptions options);
Response send_download(const Conn& conn, Shared<std::string> body, DownloadOptions options);

}  // namespace bennu
