#include "apps/assetronics/cli.hpp"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/assetronics/lib/demo/demo.hpp"
#include "apps/assetronics/maintenance.hpp"
#include "apps/assetronics/node.hpp"
#include "apps/assetronics/tools/commands.hpp"
#include "apps/assetronics/tools/device_tokens.hpp"
#include "apps/assetronics/web/channels/channels.hpp"
#include "bennu/runtime/launcher/launcher.hpp"
#include "bennu/web/endpoint_config.hpp"
#include "bennu/web/route_listing.hpp"

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
    tools::DeviceTokenCommand device_token;
    bennu::RouteListing routes;
};

/// The exit status of a command line that nobody can make sense of, as scripts know it.
constexpr int wrong_usage = 2;

int fail(const bennu::Error& error) {
    std::fprintf(stderr, "assetronics: %s\n", error.describe().c_str());
    return 1;
}

int write_sample(const demo::SampleOptions& options) {
    const std::string text = demo::sample_csv(options);
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}

/// Columns of the terminal; 0 when the output goes elsewhere.
std::size_t terminal_width() {
    winsize size{};
    if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

/// Where a server with these settings is reached from this machine.
std::string own_url(const bennu::EndpointOptions& options) {
    return bennu::address_for_people(options, {"localhost", options.port});
}

/// The server: a launcher that holds the socket, and a node that it restarts.
int serve(NodeOptions options) {
    bennu::LaunchOptions launch{.name = "assetronics",
                                .address = {options.endpoint.host, options.endpoint.port},
                                .crash_folder = options.data_dir + "/crashes",
                                .restarts = {},
                                .quarantine = {},
                                .hangs = {},
                                .stop_grace = options.drain_delay + std::chrono::seconds(25)};
    return bennu::launch(launch, [options](bennu::NodeEnvironment environment) mutable {
        options.endpoint.inherited_listener = environment.listener;
        return run_node(options);
    });
}

int run_command(const std::string& command, Arguments arguments) {
    if (command == "sample-csv") return write_sample(arguments.sample);
    if (command == "types") {
        std::fputs(web::channel_types().c_str(), stdout);
        return 0;
    }
    if (command == "routes") {
        arguments.routes.width = terminal_width();
        return print_routes(arguments.routes);
    }
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
    if (arguments.url.empty()) arguments.url = own_url(options->endpoint);
    arguments.import.url = arguments.devices.url = arguments.device_token.url = arguments.url;
    if (command == "import") return tools::import_file(arguments.import);
    if (command == "devices") return tools::simulate_devices(arguments.devices);
    if (command == "device-token") return tools::print_device_token(arguments.device_token);
    return serve(std::move(*options));
}

}  // namespace

int run_cli(int argc, char** argv) {
    // Whatever this makes (the database, uploads, imports, crash reports) is for its own user
    // alone.
    ::umask(S_IRWXG | S_IRWXO);
    CLI::App app("Assetronics keeps track of a company's hardware.", "assetronics");
    Arguments arguments;
    app.add_option("--config", arguments.config,
                   "A TOML file with the sections [server] and [endpoint]");
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
    auto* routes = app.add_subcommand("routes", "Lists the routes");
    routes->add_option("filter", arguments.routes.filter,
                       "Only those whose path or name holds this");
    routes
        ->add_option("--method", arguments.routes.method,
                     "Only those of this method (GET, POST, SOCKET, FILES...)")
        ->check([](const std::string& method) {
            const bennu::Result<> known = bennu::check_listed_method(method);
            return known ? std::string() : std::string(known.error().message());
        });

    app.add_subcommand("types", "Prints the TypeScript of the channels");

    auto* sample = app.add_subcommand("sample-csv", "Writes an invented inventory as CSV");
    sample->add_option("--rows", arguments.sample.rows, "How many assets");
    sample->add_option("--seed", arguments.sample.seed, "Equal seeds give equal files");
    sample->add_option("--bad", arguments.sample.bad_rows, "How many rows to spoil");

    auto* import = app.add_subcommand("import", "Imports a CSV file into the running server");
    import->add_option("file", arguments.import.file, "The file")->required();
    import->add_option("--url", arguments.url, "The server");
    import->add_option("--tenant", arguments.import.tenant, "Whose inventory");

    auto* token = app.add_subcommand(
        "device-token",
        "Lets a device in: prints a new token for it, which it shows when it joins");
    token->add_option("mac", arguments.device_token.mac, "Its MAC, as 02:00:00:00:00:01")
        ->required();
    token->add_option("--name", arguments.device_token.name, "Its name until it says its own");
    token->add_option("--url", arguments.url, "The server");
    token->add_option("--tenant", arguments.device_token.tenant, "Whose device");

    auto* devices = app.add_subcommand("devices", "Connects simulated devices to the server");
    devices->add_option("--count", arguments.devices.count, "How many");
    devices->add_option("--url", arguments.url, "The server");
    devices->add_option("--tenant", arguments.devices.tenant, "Whose devices");
    devices->add_option("--seed", arguments.devices.seed, "Equal seeds give equal devices");
    devices->add_option("--duration", arguments.devices.duration, "Seconds; 0: until interrupted");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& stopped) {
        // Help is one, too.
        return app.exit(stopped) == 0 ? 0 : wrong_usage;
    }
    const auto chosen = app.get_subcommands();
    return run_command(chosen.empty() ? "server" : chosen.front()->get_name(),
                       std::move(arguments));
}

}  // namespace assetronics
