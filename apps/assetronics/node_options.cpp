#include "apps/assetronics/node.hpp"
#include "bennu/base/config.hpp"

namespace assetronics {

using namespace bennu;

Result<NodeOptions> load_node_options(const std::string& file) {
    const ConfigOptions sources{.env_prefix = "ASSETRONICS",
                                .aliases = {{"PORT", "server.port"},
                                            {"HOST", "server.host"},
                                            {"DATA_DIR", "server.data_dir"},
                                            {"ASSETRONICS_ENV", "server.environment"},
                                            {"ASSETRONICS_STATIC_DIR", "server.static_dir"}}};
    Result<Config> config =
        file.empty() ? Config::parse("", "defaults", sources) : Config::load(file, sources);
    if (!config) return std::move(config).error();
    Result<NodeOptions> options = config->section<NodeOptions>("server");
    if (options && options->host == "localhost") options->host = "127.0.0.1";
    return options;
}

}  // namespace assetronics
