#!/usr/bin/env bash
# Fuzzes every target of a build folder, as many at a time as there are cores, from its corpus.
#   scripts/fuzz.sh build/fuzz [SECONDS]    SECONDS are shared among the targets (60), however many run at a time
#   FUZZ_SEED=N                             begins the same way each time: what failed once fails again
# What it finds on the way is kept in BUILD/found/NAME and used the next time; an input that fails is left in
# test-results/fuzz. Ends with the line `N passed, N failed`.
set -uo pipefail
build=$1 seconds=${2-60}
cd "$(dirname "$0")/.."
export build failures=test-results/fuzz
rm -rf "$failures"
mkdir -p "$failures"

targets=()
for corpus in fuzz/corpus/*/; do targets+=("$(basename "$corpus")"); done
each=$((seconds / ${#targets[@]}))
export each=$((each > 0 ? each : 1))

ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-19)
export ASAN_SYMBOLIZER_PATH UBSAN_OPTIONS=print_stacktrace=1

one() {
    local name=$1 log=$failures/$1.log
    mkdir -p "$build/found/$name"
    if "$build/fuzz/fuzz_$name" -seed="${FUZZ_SEED-0}" -max_total_time="$each" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
        -artifact_prefix="$failures/$name-" "$build/found/$name" "fuzz/corpus/$name" >"$log" 2>&1; then
        echo "ok $name ($(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $each s)"
        rm "$log"
    else
        echo "not ok $name"
        # What was wrong stands above the stack, the input below.
        grep -vE '^(#|INFO:|\s+NEW_FUNC)' "$log" | head -n 25 | sed 's/^/  /'
        for input in "$failures/$name"-*; do
            [ -e "$input" ] && echo "  again: $build/fuzz/fuzz_$name $input"
        done
    fi
}
export -f one

results=$(printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'one {}')
echo "$results"
passed=$(grep -c '^ok ' <<<"$results")
failed=$((${#targets[@]} - passed))
echo "$passed passed, $failed failed"
[ $failed = 0 ]
