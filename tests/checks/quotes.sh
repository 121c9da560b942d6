#!/usr/bin/env bash
# In the pages of the tree in $1, a block of code after a line `<!-- quoted: FILE -->` stands in that file, but for its
# indentation.
set -euo pipefail
cd "$1"
status=0
flat() { sed 's/^[[:space:]]*//; s/[[:space:]]*$//' "$@"; }
while IFS= read -r page; do
    block='' file='' inside=0 number=0
    while IFS= read -r line; do
        number=$((number + 1))
        case $line in
            '<!-- quoted: '*) file=${line#<!-- quoted: } file=${file% -->} ;;
            '```'*)
                if [ "$inside" = 1 ]; then
                    if [ -n "$file" ] && { [ ! -f "$file" ] || [[ $'\n'"$(flat "$file")"$'\n' != *"$block"* ]]; }; then
                        echo "$page:$number: the block above does not stand in $file"
                        status=1
                    fi
                    inside=0 file=''
                else
                    inside=1 block=$'\n'
                fi
                ;;
            *) [ "$inside" = 0 ] || block+=$line$'\n' ;;
        esac
    done < <(flat "$page")
done < <(grep -rl --include='*.md' --exclude-dir=node_modules --exclude-dir=build '<!-- quoted: ' . || :)
exit $status
