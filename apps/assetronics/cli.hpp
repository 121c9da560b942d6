#pragma once

namespace assetronics {

/// The program's command line: picks the subcommand (`server` when there is none), runs it, and
/// returns the exit status.
int run_cli(int argc, char** argv);

}  // namespace assetronics
