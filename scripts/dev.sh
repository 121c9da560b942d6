#!/usr/bin/env bash
# The development loop: builds, serves, and after each change of a source builds again and exchanges the program, while pages
# load again by themselves or show what the compiler said (bennu/web/development). Used by ./run dev.
#   scripts/dev.sh --watch FOLDER… --build COMMAND -- PROGRAM [ARGUMENT…]
# The program's launcher exchanges its node at SIGUSR2. Ctrl-C ends the loop and the program.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
watched=() build=
while [ $# -gt 0 ]; do
    case $1 in
    --watch) shift && while [ $# -gt 0 ] && [[ $1 != --* ]]; do watched+=("$1") && shift; done ;;
    --build) build=$2 && shift 2 ;;
    --) shift && break ;;
    *) echo "dev.sh: what is $1?" >&2 && exit 2 ;;
    esac
done
if [ ${#watched[@]} = 0 ] || [ -z "$build" ] || [ $# = 0 ]; then
    sed -n '2,5s/^# //p' "$0" >&2
    exit 2
fi

work=$(mktemp -d)
log=$logs/dev.log
export BENNU_BUILD_STATUS=$work/status
program= builder=
finish() {
    # The watcher first: it holds the pipe open.
    [ -z "${WATCH_PID-}" ] || kill "$WATCH_PID" 2>/dev/null
    [ -z "$builder" ] || kill -TERM -- "-$builder" 2>/dev/null
    if [ -n "$program" ] && kill -TERM "$program" 2>/dev/null; then wait "$program"; fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 0' INT TERM HUP

# status STATE [FILE]: what the pages are told. Replaced as a whole, so that nobody reads half of it.
version=0
status() {
    {
        echo "$version $1"
        [ $# -lt 2 ] || cat "$2"
    } >"$work/next" && mv "$work/next" "$BENNU_BUILD_STATUS"
}

say() {
    echo "[dev] $*"
}

# Beside the shell, which would hear of a signal only when a command of its own is over, and as a group that ends as one.
run_build() {
    local outcome=0
    setsid bash -c "$build" &
    builder=$!
    wait "$builder" || outcome=$?
    builder=
    return $outcome
}

# The compiler's errors come first: of a long log only the beginning is shown in a page.
build_once() {
    status building
    if quietly "[dev] build" dev run_build; then
        version=$((version + 1))
        status ok
        return
    fi
    {
        grep -nE '(error|ERROR|Error)\b' "$log" | cut -d: -f1 | head -n 20 | while read -r line; do
            sed -n "$line,$((line + 5))p" "$log"
            echo
        done
        [ "$(grep -cE '(error|ERROR|Error)\b' "$log")" != 0 ] || tail -n 60 "$log"
    } >"$work/errors"
    status failed "$work/errors"
    say "the program from before goes on; the whole log is $log"
    cat "$work/errors" >&2
    return 1
}

serve() {
    if [ -n "$program" ] && kill -USR2 "$program" 2>/dev/null; then return; fi
    # In the background a shell lets its children ignore Ctrl-C, and ends them itself.
    "$@" &
    program=$!
}

coproc WATCH {
    exec inotifywait --quiet --monitor --recursive --event close_write,create,delete,move \
        --exclude '/(build|node_modules|\.git|test-results)(/|$)|/priv/static/|(~|\.sw.|\.tmp|/4913)$' --format '%w%f' "${watched[@]}" 2>"$work/watcher"
}
watch_from=${WATCH[0]}

if build_once; then serve "$@"; fi
while IFS= read -r changed <&"$watch_from"; do
    # Editors write in several steps, and branches change many files: what comes within a moment is one change.
    while IFS= read -r -t 0.1 _ <&"$watch_from"; do :; done
    say "changed: ${changed#"$PWD/"}"
    if build_once; then serve "$@"; fi
done
echo "the watcher ended: $(cat "$work/watcher")" >&2
exit 1
