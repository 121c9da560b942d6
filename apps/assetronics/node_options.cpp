#include "apps/assetronics/node.hpp"
#include "bennu/base/config.hpp"

namespace assetronics {

using namespace bennu;

namespace {

constexpr std::size_t shortest_token = 16;

}  // namespace

Result<NodeOptions> load_node_options(const std::string& file) {
    const ConfigOptions sources{.env_prefix = "ASSETRONICS",
                                .aliases = {{"PORT", "server.port"},
                                            {"HOST", "server.host"},
                                            {"DATA_DIR", "server.data_dir"},
                                            {"ASSETRONICS_ENV", "server.environment"},
                                            {"ASSETRONICS_STATIC_DIR", "server.static_dir"},
                                            {"ASSETRONICS_OPS_TOKEN", "server.ops_token"},
                                            {"DRAIN_DELAY", "server.drain_delay"}}};
    Result<Config> config =
        file.empty() ? Config::parse("", "defaults", sources) : Config::load(file, sources);
    if (!config) return std::move(config).error();
    Result<NodeOptions> options = config->section<NodeOptions>("server");
    if (options && options->host == "localhost") options->host = "127.0.0.1";
    return options;
}

Result<> check_node_options(const NodeOptions& options) {
    if (!options.ops_token.empty() && options.ops_token.reveal().size() < shortest_token)
        return Error::field("server.ops_token", "too_short", "must have at least 16 characters");
    return {};
}

}  // namespace assetronics
