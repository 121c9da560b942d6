#!/usr/bin/env bash
# Every room of the tree in $1 says in a README what lives there, and the relative links of every README and page in docs/
# lead to something.
set -euo pipefail
cd "$1"
status=0
for folder in bennu/*/ apps/*/ clients/*/ examples tests benches fuzz scripts; do
    if [ -d "$folder" ] && [ ! -f "$folder/README.md" ]; then
        echo "${folder%/}: no README.md"
        status=1
    fi
done
while IFS=: read -r page link; do
    target=${link#](}
    target=${target%%[#)]*}
    case $target in '' | *://* | mailto:*) continue ;; esac
    if [ ! -e "$(dirname "$page")/$target" ]; then
        echo "$page: a link leads nowhere: $target"
        status=1
    fi
done < <(find . \( -name node_modules -o -name build -o -name .git \) -prune -o -name '*.md' -print0 |
    xargs -0 -r grep -oH '](\([^) ]*\))' || :)
exit $status
