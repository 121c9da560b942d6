#pragma once

#include <cstdint>
#include <string>

/// Subcommands that talk to a running server. Each returns the exit status.
namespace assetronics::tools {

struct ImportCommand {
    std::string file;
    std::string url;
    std::string tenant = "demo";
};
/// Uploads a CSV file, shows how far its import is, and prints a report. 0: every row is in; 2:
/// some are not; 1: it failed.
int import_file(const ImportCommand& command);

struct DevicesCommand {
    int count = 10;
    std::string url;
    std::string tenant = "demo";
    std::uint64_t seed = 1;  ///< equal seeds give equal devices
    int duration = 0;        ///< seconds; 0: until interrupted
};
/// Runs simulated devices, each over a WebSocket of its own, and prints a line about them every
/// second.
int simulate_devices(const DevicesCommand& command);

}  // namespace assetronics::tools
