#include "apps/assetronics/cli.hpp"

int main(int argc, char** argv) {
    return assetronics::run_cli(argc, argv);
}
