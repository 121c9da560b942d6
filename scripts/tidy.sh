#!/usr/bin/env bash
# Lints C++ files with clang-tidy, by the dev build's compile commands.
#   scripts/tidy.sh [REVISION]   the files that changed since the revision (HEAD)
set -euo pipefail
cd "$(dirname "$0")/.."
git diff --name-only --diff-filter=d "${1-HEAD}" -- '*.cpp' |
    xargs -r -P "$(nproc)" -n 1 clang-tidy-19 -p build/dev --quiet \
        --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument
