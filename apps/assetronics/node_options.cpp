#include "apps/assetronics/node.hpp"
#include "bennu/web/endpoint_config.hpp"

namespace assetronics {

using namespace bennu;

namespace {

constexpr std::size_t shortest_token = 16;

}  // namespace

Result<NodeOptions> load_node_options(const std::string& file) {
    const ConfigOptions sources{.env_prefix = "ASSETRONICS",
                                .aliases = {{"PORT", "endpoint.port"},
                                            {"HOST", "endpoint.host"},
                                            {"PUBLIC_HOSTS", "endpoint.hosts"},
                                            {"ASSETRONICS_ENV", "endpoint.environment"},
                                            {"TRUSTED_PROXIES", "endpoint.trusted_proxies"},
                                            {"PROXY_PROTOCOL", "endpoint.proxy_protocol"},
                                            {"DATA_DIR", "server.data_dir"},
                                            {"ASSETRONICS_STATIC_DIR", "server.static_dir"},
                                            {"ASSETRONICS_OPS_TOKEN", "server.ops_token"},
                                            {"DRAIN_DELAY", "server.drain_delay"}}};
    Result<Config> config =
        file.empty() ? Config::parse("", "defaults", sources) : Config::load(file, sources);
    if (!config) return std::move(config).error();
    const std::vector<ConfigSection> sections{config_section<NodeOptions>("server"),
                                              config_section<EndpointOptions>("endpoint")};
    if (Result<> known = config->check_sections(sections); !known) return std::move(known).error();
    Result<NodeOptions> options = config->section<NodeOptions>("server");
    if (!options) return options;
    Result<EndpointOptions> endpoint =
        read_endpoint(*config, {.upload_folder = options->data_dir + "/uploads"});
    if (!endpoint) return std::move(endpoint).error();
    // Nobody signs in, so a page that makes its own name lead here must not be answered: without
    // a name of its own, the product is at localhost, at its addresses and at the machine's name.
    if (endpoint->hosts.empty()) endpoint->hosts = {"localhost"};
    options->endpoint = *std::move(endpoint);
    return options;
}

Result<> check_node_options(const NodeOptions& options) {
    if (!options.ops_token.empty() && options.ops_token.reveal().size() < shortest_token)
        return Error::field("server.ops_token", "too_short", "must have at least 16 characters");
    return check_certificates(options.endpoint);
}

}  // namespace assetronics
