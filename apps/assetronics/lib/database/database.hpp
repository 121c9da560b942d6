#pragma once

#include <span>
#include <string>

#include "bennu/data/all.hpp"

/// The product's one database file and its migrations.
namespace assetronics::database {

/// Opens `<data_dir>/assetronics.db`, making the folder and the file when they are missing.
bennu::Task<bennu::Result<bennu::Repo>> open(std::string data_dir);

/// Every `priv/migrations/VERSION_name.up.sql` and `.down.sql`, by version; they are inside the
/// program.
std::span<const bennu::Migration> migrations();

}  // namespace assetronics::database
