#pragma once

#include "apps/assetronics/lib/imports/imports.hpp"

namespace assetronics::imports {

/// Imports a file from where it stands to its end; the body of an import's process. An error or a
/// fault leaves the import as its last chunk left it, to be run again. A file that is gone marks it
/// as failed.
Task<Result<>> run_import(Repo repo, std::string folder, std::string tenant, Id id);

/// Gives up: the import is `failed`, with the reason as its last error.
Task<Result<>> fail_import(Repo repo, std::string tenant, Id id, std::string reason);

}  // namespace assetronics::imports
