#!/usr/bin/env bash
# Installs what a folder's package-lock.json says with the pinned npm, when it has changed since the last time.
#   scripts/npm_ci.sh DIR
set -euo pipefail
bin=$("$(dirname "$0")/node.sh")
PATH=$bin:$PATH
cd "$1"
stamp=node_modules/.installed
if ! cmp -s package-lock.json $stamp; then
    npm ci --no-audit --no-fund --foreground-scripts
    cp package-lock.json $stamp
fi
