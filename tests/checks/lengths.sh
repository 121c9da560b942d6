#!/usr/bin/env bash
# No source file of the tree in $1 is longer than 500 lines.
set -euo pipefail
cd "$1"
find . \( -name node_modules -o -name build -o -name .git -o -path ./apps/assetronics/priv/static \) -prune -o -type f \
    \( -name '*.[ch]pp' -o -name '*.ts' -o -name '*.vue' -o -name '*.css' -o -name '*.js' -o -name '*.mjs' -o -name '*.sh' \
    -o -name '*.cmake' -o -name run -o -name test -o -name bench \) -print0 |
    xargs -0 -r awk 'FNR == 501 { print FILENAME ": more than 500 lines; split it"; failed = 1 } END { exit failed }'
