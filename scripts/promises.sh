#!/usr/bin/env bash
# Writes docs/reference/promises.md: which test proves which promise, from the comments `// proves 3.7` that stand on the line
# of a test, on the line before it, or inside it. With --print it only prints the page. DIR is another tree than this one.
#   scripts/promises.sh [--print] [DIR]
set -euo pipefail
print=
[ "${1-}" != --print ] || { print=yes && shift; }
cd "${1-$(dirname "$0")/..}"

files() {
    if [ -e .git ]; then
        git -c safe.directory='*' ls-files -z
    else
        find . -type f -printf '%P\0'
    fi | grep -zE '(_test\.cpp|\.mjs|\.test\.ts)$' | grep -zvE '(^|/)node_modules/' | sort -z || :
}

# A line for each promise of each test: the id, the file, the test's name.
proofs() {
    files | xargs -0 -r awk '
        function name_of(line) {
            if (match(line, /TEST(_F|_P)?\([^)]*/)) {
                line = substr(line, RSTART, RLENGTH)
                sub(/^[^(]*\( */, "", line)
                gsub(/, */, ".", line)
                return line
            }
            if (!match(line, /(test|it)\(["`'"'"'].*/)) return ""
            line = substr(line, RSTART)
            sub(/^[a-z]*\(/, "", line)
            quote = substr(line, 1, 1)
            line = substr(line, 2)
            return substr(line, 1, index(line, quote ",") - 1)
        }
        function prove(test) {
            count = split(ids, each, /[^0-9.]+/)
            for (i = 1; i <= count; ++i) if (each[i] != "") print each[i] "\t" file "\t" test
            ids = ""
        }
        # What stands before something that is no test belongs to the test around it.
        function settle() {
            if (ids == "") return
            if (current != "") { prove(current); return }
            print file ": what proves " ids " is no test" > "/dev/stderr"
            ids = ""
            broken = 1
        }
        FNR == 1 { settle(); file = FILENAME; sub(/^\.\//, "", file); current = ""; open = "" }
        # A test whose name begins on a line of its own.
        /TEST(_F|_P)?\([^)]*$/ { open = $0; next }
        open != "" { $0 = open " " $0; gsub(/  +/, " "); open = "" }
        {
            name = name_of($0)
            if (name != "") {
                current = name
                if (ids != "") prove(name)
            } else {
                settle()
            }
        }
        match($0, /\/\/.*proves [0-9]+\.[0-9]+(, [0-9]+\.[0-9]+)*/) {
            ids = substr($0, RSTART, RLENGTH)
            sub(/.*proves /, "", ids)
            if (name != "") prove(name)
        }
        END { settle(); exit broken }'
}

page() {
    cat <<'END'
# What is proved, and where

Every promise of the project has a number; a test that proves one says so (`// proves 3.7`). `scripts/promises.sh` writes this
page from those comments; it is not edited by hand.

| promise | tests |
| --- | --- |
END
    sort -t "$(printf '\t')" -k1,1V -k2,2 -k3,3 -u <<<"$1" | awk -F '\t' '
        {
            text = $3
            gsub(/\|/, "\\|", text)
            if ($1 != id) {
                if (id != "") print "| " id " | " tests " |"
                id = $1
                tests = ""
            }
            folder = $2
            sub(/^.*\//, "", folder)
            tests = tests (tests == "" ? "" : "<br>") text " ([" folder "](../../" $2 "))"
        }
        END { if (id != "") print "| " id " | " tests " |" }'
}

list=$(proofs)
if [ -n "$print" ]; then
    [ -z "$list" ] || page "$list"
else
    page "$list" >docs/reference/promises.md
fi
