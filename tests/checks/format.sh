#!/usr/bin/env bash
# The C++ files of the tree in $1 are formatted as its .clang-format says.
set -euo pipefail
cd "$1"
find . \( -name node_modules -o -name build -o -name .git \) -prune -o -name '*.[ch]pp' -print0 |
    xargs -0 -r -P "$(nproc)" -n 1 sh -c \
        'clang-format-19 --dry-run -Werror "$1" 2>/dev/null || { echo "$1: not formatted (clang-format-19 -i)"; exit 1; }' -
