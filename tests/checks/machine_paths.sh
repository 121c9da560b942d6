#!/usr/bin/env bash
# No text file of the tree in $1 names a place on somebody's machine, or where a package was downloaded from.
set -euo pipefail
cd "$1"
# The brackets keep this file itself from matching.
if find . -type f -print0 |
    xargs -0 -r grep -nIE '(^|[^[:alnum:]_.$}/-])/([w]ork|[h]ome/[a-z]+|[r]oot|[U]sers/[a-z]+)/|"resolve[d]": *"http'; then
    exit 1
fi
