#!/usr/bin/env bash
# Prints the folder with the pinned node 22 and its npm, and installs them when they are missing: `PATH=$(scripts/node.sh):$PATH`.
# Whatever node the machine has serves this one step and runs nothing of ours.
set -euo pipefail
cd "$(dirname "$0")/node"
bin=$PWD/node_modules/.bin
if ! cmp -s package-lock.json node_modules/.installed; then
    npm ci --no-audit --no-fund --foreground-scripts >&2
    case $("$bin/node" --version) in v22.*) ;; *) echo "npm's node package brought no node 22" >&2 && exit 1 ;; esac
    cp package-lock.json node_modules/.installed
fi
echo "$bin"
