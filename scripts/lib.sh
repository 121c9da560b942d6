# shellcheck shell=bash
# Shared by the root scripts: numbered steps with elapsed time, their logs, and the build lock. Sourced, not run.
# A caller sets `steps` to the number of steps it is going to announce.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/logs
step=0 steps=${steps-0}

die() {
    echo "$*" >&2
    exit 1
}

# progress LABEL LOG: shows that a long step is alive: the log's last line on a terminal, a line a minute elsewhere.
progress() {
    local label=$1 log=$2 began=$SECONDS last
    while sleep 1 && kill -0 $$ 2>/dev/null; do
        if [ -t 1 ]; then
            last=$(tail -c 400 "$log" 2>/dev/null | tr '\r' '\n' | tail -n 1 | cut -c 1-60)
            printf '\r\033[K%s %d s  %s' "$label" $((SECONDS - began)) "$last"
        elif [ $(((SECONDS - began) % 60)) -eq 0 ]; then
            echo "$label … $((SECONDS - began)) s: $(tail -n 1 "$log" | cut -c 1-100)"
        fi
    done
}

# quietly LABEL LOGNAME COMMAND…: runs the command with its output in build/logs/LOGNAME.log; returns its status.
quietly() {
    local label=$1 log=$logs/$2.log began=$SECONDS status=0 ticker
    shift 2
    mkdir -p "$logs"
    : >"$log"
    progress "$label" "$log" &
    ticker=$!
    NO_COLOR=1 "$@" >>"$log" 2>&1 || status=$?
    kill "$ticker" 2>/dev/null
    wait "$ticker" 2>/dev/null || :
    [ -t 1 ] && printf '\r\033[K'
    echo "$label: $([ $status = 0 ] && echo "done" || echo FAILED) in $((SECONDS - began)) s"
    return $status
}

# announce TEXT: counts the next step and sets `label`.
announce() {
    step=$((step + 1))
    label="[$step/$steps] $1"
}

# run_step TEXT LOGNAME COMMAND…: one numbered step that must succeed.
run_step() {
    announce "$1"
    local name=$2
    shift 2
    quietly "$label" "$name" "$@" && return
    echo "--- the end of build/logs/$name.log"
    tail -n 40 "$logs/$name.log"
    die "$label failed; the whole log is $logs/$name.log"
}

# install_step PURPOSE…: one numbered step that brings the packages. A password is asked for before its output goes to the
# log; to a user who may not install, install.sh says what is missing.
install_step() {
    local missing
    missing=$("$root/scripts/install.sh" --check "$@")
    if [ -z "$missing" ]; then
        announce "packages: all installed"
        echo "$label"
    elif [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || { [ -t 2 ] && sudo -v; }; then
        run_step "install $(wc -w <<<"$missing") packages" install "$root/scripts/install.sh" "$@"
    else
        "$root/scripts/install.sh" "$@" || exit 1
    fi
}

# build PRESET TARGET… [-- CMAKE_OPTION…]: configures when needed and builds, one build at a time on this machine.
build() {
    local preset=$1 dir=$root/build/$1 targets=() options=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do targets+=("$1") && shift; done
    [ $# -gt 0 ] && shift && options=("$@")
    mkdir -p "$root/build"
    (
        flock 9
        # Named options and an edited preset need a configure; ninja itself sees everything else.
        if [ ${#options[@]} -gt 0 ] || [ ! -f "$dir/build.ninja" ] ||
            [ "$root/CMakePresets.json" -nt "$dir/build.ninja" ]; then
            (cd "$root" && cmake --preset "$preset" ${options[@]+"${options[@]}"}) || exit 1
        fi
        # As many steps at a time as there are cores: more would only make each of them take longer (the budget counts them).
        ninja -C "$dir" -j "$(nproc)" ${targets[@]+"${targets[@]}"}
    ) 9>"$root/build/.lock"
}
