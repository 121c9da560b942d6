#!/usr/bin/env bash
# Installs what a folder's package-lock.json says, when it has changed since the last time.
#   scripts/npm_ci.sh DIR
set -euo pipefail
cd "$1"
stamp=node_modules/.lock-installed
cmp -s package-lock.json "$stamp" && exit
options=(--no-audit --no-fund --foreground-scripts)
# npm 11 refuses a lockfile that lacks other systems' optional packages (a mirror may not carry them); an install that
# saves nothing takes the same locked versions.
npm ci "${options[@]}" || npm install --no-save "${options[@]}"
cp package-lock.json "$stamp"
