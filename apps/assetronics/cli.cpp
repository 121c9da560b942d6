#include "apps/assetronics/cli.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/assetronics/lib/demo/demo.hpp"
#include "apps/assetronics/maintenance.hpp"
#include "apps/assetronics/node.hpp"
#include "apps/assetronics/tools/commands.hpp"
#include "bennu/runtime/launcher/launcher.hpp"

namespace assetronics {

namespace {

/// What the options of all subcommands are read into.
struct Arguments {
    std::string config;
    std::string ops_token;
    bool check_config = false;
    int steps = 1;
    demo::SampleOptions sample;
    std::string url;
    tools::ImportCommand import;
    tools::DevicesCommand devices;
};

int fail(const bennu::Error& error) {
    std::fprintf(stderr, "assetronics: %s\n", error.describe().c_str());
    return 1;
}

int write_sample(const demo::SampleOptions& options) {
    const std::string text = demo::sample_csv(options);
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}

/// The server: a launcher that holds the socket, and a node that it restarts.
int serve(NodeOptions options) {
    bennu::LaunchOptions launch{.name = "assetronics",
                                .address = {options.host, options.port},
                                .crash_folder = options.data_dir + "/crashes",
                                .restarts = {},
                                .quarantine = {},
                                .hangs = {},
                                .stop_grace = options.drain_delay + std::chrono::seconds(25)};
    return bennu::launch(launch, [options](bennu::NodeEnvironment environment) mutable {
        options.inherited_listener = environment.listener;
        return run_node(options);
    });
}

int run_command(const std::string& command, Arguments arguments) {
    if (command == "sample-csv") return write_sample(arguments.sample);
    if (command == "routes") return print_routes();
    bennu::Result<NodeOptions> options = load_node_options(arguments.config);
    if (!options) return fail(options.error());
    if (!arguments.ops_token.empty()) options->ops_token = bennu::Secret(arguments.ops_token);
    const bennu::Result<> usable = check_node_options(*options);
    if (!usable) return fail(usable.error());
    if (arguments.check_config) {
        std::puts("the configuration is complete");
        return 0;
    }
    if (command == "migrate") return migrate_database(*options);
    if (command == "rollback") return rollback_database(*options, arguments.steps);
    if (command == "seed") return seed_database(*options);
    if (arguments.url.empty()) arguments.url = "http://localhost:" + std::to_string(options->port);
    arguments.import.url = arguments.devices.url = arguments.url;
    if (command == "import") return tools::import_file(arguments.import);
    if (command == "devices") return tools::simulate_devices(arguments.devices);
    return serve(std::move(*options));
}

}  // namespace

int run_cli(int argc, char** argv) {
    CLI::App app("Assetronics keeps track of a company's hardware.", "assetronics");
    Arguments arguments;
    app.add_option("--config", arguments.config, "A TOML file with a [server] section");
    app.add_flag("--check-config", arguments.check_config, "Reads the configuration, no more");
    app.require_subcommand(0, 1);
    app.fallthrough();

    app.add_option("--ops-token", arguments.ops_token,
                   "Opens the operations page to whoever knows it (better as "
                   "ASSETRONICS_OPS_TOKEN: the command line is no secret)");
    app.add_subcommand("server", "Serves the API, the sockets and the pages (the default)");
    app.add_subcommand("migrate", "Brings the database up to date");
    app.add_subcommand("rollback", "Undoes the newest migrations")
        ->add_option("--steps", arguments.steps, "How many")
        ->check(CLI::PositiveNumber);
    app.add_subcommand("seed", "Puts the demo company into the database unless it is there");
    app.add_subcommand("routes", "Lists the routes");

    auto* sample = app.add_subcommand("sample-csv", "Writes an invented inventory as CSV");
    sample->add_option("--rows", arguments.sample.rows, "How many assets");
    sample->add_option("--seed", arguments.sample.seed, "Equal seeds give equal files");
    sample->add_option("--bad", arguments.sample.bad_rows, "How many rows to spoil");

    auto* import = app.add_subcommand("import", "Imports a CSV file into the running server");
    import->add_option("file", arguments.import.file, "The file")->required();
    import->add_option("--url", arguments.url, "The server");
    import->add_option("--tenant", arguments.import.tenant, "Whose inventory");

    auto* devices = app.add_subcommand("devices", "Connects simulated devices to the server");
    devices->add_option("--count", arguments.devices.count, "How many");
    devices->add_option("--url", arguments.url, "The server");
    devices->add_option("--tenant", arguments.devices.tenant, "Whose devices");
    devices->add_option("--seed", arguments.devices.seed, "Equal seeds give equal devices");
    devices->add_option("--duration", arguments.devices.duration, "Seconds; 0: until interrupted");

    CLI11_PARSE(app, argc, argv);
    const auto chosen = app.get_subcommands();
    return run_command(chosen.empty() ? "server" : chosen.front()->get_name(),
                       std::move(arguments));
}

}  // namespace assetronics
