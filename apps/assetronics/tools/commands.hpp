#pragma once

#include <string>

/// Subcommands that talk to a running server. Each returns the exit status.
namespace assetronics::tools {

struct ImportCommand {
    std::string file;
    std::string url;
};
int import_file(const ImportCommand& command);

struct DevicesCommand {
    int count = 10;
    std::string url;
};
int simulate_devices(const DevicesCommand& command);

}  // namespace assetronics::tools
