#pragma once

#include <cstdint>
#include <string>

#include "bennu/base/result.hpp"
#include "bennu/web/endpoint.hpp"

namespace assetronics {

/// What a node of the product must know to start.
struct NodeOptions {
    std::string data_dir = "data";
    /// Serve the pages from this folder instead of those inside the program.
    std::string static_dir = {};
    /// Opens the operations page to whoever knows it; at least 16 characters. Without one the page
    /// is open in development and closed elsewhere.
    bennu::Secret ops_token = {};
    /// How long load balancers are told (by `/readyz`) before the server stops; an upgrade, which
    /// leaves nobody without a node, does not wait.
    bennu::Duration drain_delay = {};
    /// The section `endpoint`: address, limits, time-outs, TLS, proxies.
    bennu::EndpointOptions endpoint = {};
};
BENNU_RECORD(NodeOptions, data_dir, static_dir, ops_token, drain_delay)

/// From a TOML file ("" is none) with the sections `server` and `endpoint`, and the environment,
/// which wins: PORT, HOST, PUBLIC_HOSTS and TRUSTED_PROXIES (JSON lists), ASSETRONICS_ENV and
/// PROXY_PROTOCOL of the endpoint, DATA_DIR, ASSETRONICS_STATIC_DIR, ASSETRONICS_OPS_TOKEN and
/// DRAIN_DELAY of the server, and ASSETRONICS_SECTION__NAME for `section.name`. What neither
/// section has is an error.
bennu::Result<NodeOptions> load_node_options(const std::string& file);
/// What the sources above cannot say by themselves: whether tokens are long enough, and the
/// certificates of use (reads them: blocks). Errors name the field or the file.
bennu::Result<> check_node_options(const NodeOptions& options);

/// Runs one node until it is asked to stop: opens and migrates the database, seeds it when it is
/// empty, starts the supervision tree, and then prints `Assetronics is ready at …` on standard
/// output. Returns the exit status.
int run_node(const NodeOptions& options);

}  // namespace assetronics
