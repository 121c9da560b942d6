#!/usr/bin/env bash
# Runs the registered tests of a build folder and counts GoogleTest cases one by one.
#   scripts/unit.sh build/asan [CTEST OPTION…]    GTEST_FILTER narrows the cases
# Ends with the line `N passed, N failed[, N skipped]`.
set -uo pipefail
build=$1
shift
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

symbolizer=$(command -v llvm-symbolizer-19)
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:${ASAN_OPTIONS-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS-}
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:${TSAN_OPTIONS-}
export ASAN_SYMBOLIZER_PATH=$symbolizer TSAN_SYMBOLIZER_PATH=$symbolizer
GTEST_OUTPUT=xml:$results/ ctest --test-dir "$build" --output-on-failure --timeout 600 -j "$(nproc)" \
    --output-junit "$results/ctest.junit" "$@"

# A program counts by its cases; one that left no readable result, or failed beside its cases (a leak, a crash), by itself.
passed=0 failed=0 skipped=0
while read -r name status; do
    cases=0 bad=0 ignored=0
    if [ -s "$results/$name.xml" ]; then
        read -r cases bad ignored < <(awk '
            function attribute(name) { return match($0, " " name "=\"[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : 0 }
            /<testsuites / { cases = attribute("tests") - attribute("disabled"); bad = attribute("failures") + attribute("errors") }
            /<testsuite / { ignored += attribute("skipped") }
            END { print cases + 0, bad + 0, ignored + 0 }' "$results/$name.xml")
    elif [ "$status" = run ]; then
        cases=1
    fi
    if [ "$status" != run ] && [ "$bad" = 0 ]; then
        bad=1 cases=$((cases + 1))
        echo "not ok $name ($status)"
    elif [ "$cases" = 0 ]; then
        bad=1 cases=1
        echo "not ok $name: it has no test to run"
    fi
    passed=$((passed + cases - bad - ignored))
    failed=$((failed + bad))
    skipped=$((skipped + ignored))
done < <(sed -n 's/.*<testcase name="\([^"]*\)".* status="\([a-z]*\)".*/\1 \2/p' "$results/ctest.junit")
[ $((passed + failed + skipped)) -gt 0 ] || failed=1

# How many seeds the simulation tests tried, and how fast one core tries them.
cat "$results"/*.xml 2>/dev/null | awk '
    match($0, /<testcase .* time="[0-9.]+/) { time = substr($0, RSTART, RLENGTH); sub(/.*time="/, "", time) }
    match($0, /<property name="seeds" value="[0-9]+/) { count = substr($0, RSTART, RLENGTH); sub(/.*value="/, "", count); seeds += count; spent += time }
    END { if (seeds && spent) printf "simulated %d seeds in %.1f s of one core: %d a minute\n", seeds, spent, seeds * 60 / spent }'
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
