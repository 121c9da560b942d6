#pragma once

#include <string>
#include <vector>

#include "apps/assetronics/lib/devices/devices.hpp"

namespace assetronics::tools {

/// Asks a running server for a token for each of the devices, in their order; those that they have
/// end. Blocks the thread. Errors are for people.
Result<std::vector<devices::Credential>> request_tokens(
    const std::string& url, const std::string& tenant,
    const std::vector<devices::Enrolment>& enrolments);

struct DeviceTokenCommand {
    std::string mac;
    std::string name;  ///< until the device says its own; empty: its MAC
    std::string url;
    std::string tenant = "demo";
};
/// Prints a new token for one device. Returns the exit status.
int print_device_token(const DeviceTokenCommand& command);

}  // namespace assetronics::tools
