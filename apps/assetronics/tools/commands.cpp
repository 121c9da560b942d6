#include "apps/assetronics/tools/commands.hpp"

namespace assetronics::tools {

int import_file(const ImportCommand&) {
    return 1;
}

int simulate_devices(const DevicesCommand&) {
    return 1;
}

}  // namespace assetronics::tools
