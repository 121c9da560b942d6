#!/usr/bin/env bash
# Every package that the tree in $1 installs is explained in docs/reference/dependencies.md: the Debian packages of
# scripts/packages/, and what each package.json names.
set -euo pipefail
cd "$1"
page=docs/reference/dependencies.md
{
    sed -e 's/#.*//' scripts/packages/*.txt 2>/dev/null | awk 'NF { print $1 }' || :
    find . -name node_modules -prune -o -name package.json -print0 | xargs -0 -r awk '
        /"(devD|d)ependencies": *\{/ { inside = 1; next }
        /\}/ { inside = 0 }
        inside { gsub(/[" ,]/, ""); sub(/:.*/, ""); print }'
} | sort -u | {
    status=0
    while read -r package; do
        if ! grep -qF "\`$package\`" "$page" 2>/dev/null; then
            echo "$page does not explain $package"
            status=1
        fi
    done
    exit $status
}
