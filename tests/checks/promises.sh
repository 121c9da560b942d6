#!/usr/bin/env bash
# The page that says which test proves which promise, in the tree in $1, is what scripts/promises.sh makes of its tests.
set -euo pipefail
scripts=$(cd "$(dirname "$0")/../../scripts" && pwd)
page=$1/docs/reference/promises.md
now=$("$scripts/promises.sh" --print "$1")
if [ "$now" != "$(cat "$page" 2>/dev/null)" ]; then
    diff "$page" <(echo "$now") || :
    echo "docs/reference/promises.md is not up to date: run scripts/promises.sh"
    exit 1
fi
