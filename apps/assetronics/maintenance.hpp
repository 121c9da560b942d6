#pragma once

#include "apps/assetronics/node.hpp"
#include "bennu/web/router.hpp"

/// Subcommands that work on the database without serving. Each returns the exit status.
namespace assetronics {

int migrate_database(const NodeOptions& options);
int rollback_database(const NodeOptions& options, int steps);
int seed_database(const NodeOptions& options);
int print_routes(const bennu::RouteListing& listing);

}  // namespace assetronics
