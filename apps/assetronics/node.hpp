#pragma once

#include <cstdint>
#include <string>

#include "bennu/base/result.hpp"
#include "bennu/web/endpoint.hpp"

namespace assetronics {

/// What a node of the product must know to start.
struct NodeOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 4000;  ///< 0: any free one
    std::string data_dir = "data";
    bennu::Environment environment = bennu::Environment::prod;
    /// Serve the pages from this folder instead of those inside the program.
    std::string static_dir = {};
    /// Opens the operations page to whoever knows it; at least 16 characters. Without one the page
    /// is open in development and closed elsewhere.
    bennu::Secret ops_token = {};
    /// How long load balancers are told (by `/readyz`) before the server stops; an upgrade, which
    /// leaves nobody without a node, does not wait.
    bennu::Duration drain_delay = {};
    /// A listening socket that a launcher holds; -1: open one. Not configurable.
    int inherited_listener = -1;
};
BENNU_RECORD(NodeOptions, host, port, data_dir, environment, static_dir, ops_token, drain_delay)

/// From a TOML file ("" is none) and the environment, which wins: PORT, HOST, DATA_DIR,
/// ASSETRONICS_ENV, ASSETRONICS_STATIC_DIR, ASSETRONICS_OPS_TOKEN, DRAIN_DELAY, and
/// ASSETRONICS_SERVER__NAME for
/// `server.name`.
bennu::Result<NodeOptions> load_node_options(const std::string& file);
/// What the sources above cannot say by themselves. Errors name the field.
bennu::Result<> check_node_options(const NodeOptions& options);

/// Runs one node until it is asked to stop: opens and migrates the database, seeds it when it is
/// empty, starts the supervision tree, and then prints `Assetronics is ready at …` on standard
/// output. Returns the exit status.
int run_node(const NodeOptions& options);

}  // namespace assetronics
