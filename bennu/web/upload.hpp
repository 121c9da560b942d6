#pragma once

#include <string>
#include <vector>

#include "bennu/base/json.hpp"
#include "bennu/base/result.hpp"

namespace bennu {

/// One file of a `multipart/form-data` body, in memory: the route's body limit bounds it. The name
/// and type are what the client claims.
struct UploadedFile {
    std::string name;  ///< of the form's field
    std::string filename;
    std::string content_type;  ///< empty when not given
    std::string data;
};

struct MultipartForm {
    Json fields = Json::object();  ///< nested by brackets, as in a query
    std::vector<UploadedFile> files;
};

/// Reads a whole body. A file field without a chosen file is left out.
Result<MultipartForm> read_multipart(std::string_view content_type, std::string_view body);

}  // namespace bennu
